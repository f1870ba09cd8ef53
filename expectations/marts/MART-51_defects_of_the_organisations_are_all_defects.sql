/*
sentence: The defects of all axes and organisations of a source are the defects of all its dimensions, and its score lies between 0 and 1.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: A defect that one view of the scorecard leaves out is nobody's.
source: "requirement S12: totals reconcile"
subject: source
population: sources
reads: [candidate.mart_dq_scorecard]
*/
-- tested
select
    jsonb_build_object('mart', 'mart_dq_scorecard', 'source_name', card.source_name) as record_key,
    sum(card.defect_cnt) filter (where card.level_code = 'ORGANISATION') as by_organisation,
    sum(card.defect_cnt) filter (where card.level_code = 'DIMENSION' and card.dimension_code <> 'ALL') as by_dimension,
    sum(card.defect_cnt) filter (where card.level_code = 'DIMENSION' and card.dimension_code = 'ALL') as total,
    min(card.score) as lowest_score,
    max(card.score) as highest_score
from candidate.mart_dq_scorecard as card
where card.source_name <> 'ALL'
group by card.source_name
-- violations
select
    {{ finding('defect_cnt', key='record_key', account=false) }},
    by_organisation || ' by organisation, ' || by_dimension || ' by dimension, score ' || lowest_score || ' to ' || highest_score as observed,
    total || ' each, score 0 to 1' as expected
from tested
where by_organisation <> total or by_dimension <> total or lowest_score < 0 or highest_score > 1
