-- A step on the way is int_ and no longer fct_: the tables of the former names are built no more.
drop table if exists
    warehouse.fct_account_activity, warehouse.fct_account_months, warehouse.fct_bill_balances,
    warehouse.fct_bill_penalties, warehouse.fct_churn_factors, warehouse.fct_churn_scores,
    warehouse.fct_credit_items, warehouse.fct_credit_scores, warehouse.fct_credit_vetoes,
    warehouse.fct_energy_trends, warehouse.fct_penalties, warehouse.fct_receivables, warehouse.fct_trade_monthly,
    warehouse.fct_charged_capacity_monthly, warehouse.fct_charges_monthly, warehouse.fct_curve_gaps,
    warehouse.fct_curves_estimated, warehouse.fct_curves_validated, warehouse.fct_estimation_monthly,
    warehouse.fct_estimation_scales, warehouse.fct_load_clusters, warehouse.fct_load_monthly,
    warehouse.fct_load_profiles, warehouse.fct_load_savings, warehouse.fct_readings_expected,
    warehouse.fct_slots_like_days, warehouse.fct_slots_substituted, warehouse.fct_tariff_alternatives,
    warehouse.fct_tariff_options, warehouse.fct_tariff_savings, warehouse.fct_tariff_terms_monthly,
    warehouse.fct_usage_monthly, warehouse.fct_account_quality, warehouse.fct_entries_judged,
    warehouse.fct_metering_events_daily, warehouse.fct_energy_not_supplied, warehouse.fct_interruptions_yearly,
    warehouse.fct_major_event_days, warehouse.fct_notice_checkpoints, warehouse.fct_notice_compliance,
    warehouse.fct_reliability_monthly, warehouse.fct_supply_voltage_monthly, warehouse.fct_voltage_monthly,
    warehouse.fct_manager_results, warehouse.fct_service_outcomes, warehouse.fct_ticket_clocks,
    warehouse.fct_unit_deliveries;
