/*
sentence: The scores that one collector enters vary where there are {least_answers} or more.
axis: arbitrary
dimension: plausibility
severity: warn
owner: marketing office
reason: Four hundred top scores were not asked for.
source: requirement S31; binomial, where 8 of 10 honest answers give the top score and 30 or more are counted, at most 0.2 % of honest collectors are found
subject: collector
about: mkt_survey
not_tested: No collector brought in 30 answers.
population: collectors with enough answers
reads: [stg_marketing__survey_answers]
parameters: [least_answers, top_share]
*/
-- tested
select
    jsonb_build_object('collector_no', answers.collector_no) as record_key,
    count(*) as answers,
    count(*) filter (where answers.score = answers.score_scale) as top_answers,
    stddev_samp(answers.score::numeric / nullif(answers.score_scale, 0)) as deviation,
    :top_share as top_share
from staging.stg_marketing__survey_answers as answers
where answers.collector_no is not null and answers.score is not null
group by answers.collector_no
having count(*) >= :least_answers
-- violations
select
    {{ finding('score', key='record_key', account=false) }},
    top_answers || ' of ' || answers || ' with the top score' as observed,
    'scores that vary' as expected
from tested
where deviation = 0 or top_answers >= top_share * answers
