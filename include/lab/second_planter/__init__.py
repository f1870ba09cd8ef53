"""The second hand: defects and unusual data by someone who has not read the rules, planted into what a utility
delivers.

Written from the field (用电信息采集, 营销, 供用电合同) and from what the contracts say, without a look at the rule book or at the
first planter's classes: it measures what the product sees, not whether its rules do what they say. All of it is
synthetic.
"""
