-- For which event days the deliveries of before 002 were the whole truth: a file that arrives late asks the later ones. It
-- follows from what their receipts say, as the code of then landed them:
-- a read of a source database was the whole table where it had no window, and the last 35 days of events where it had one;
-- a file of a table that is delivered whole was the whole table where no second file came in its night.
-- Files of event tables stay without: their days were in the manifest alone, which no record keeps. What such a file held
-- is said again by no late one of before it, as it was not when it landed.
update quality.receipts as receipt set
    complete_for = case
        when receipt.window_from is null then '(,)'::daterange
        else daterange(receipt.business_date - 35, null)
    end
where
    receipt.state = 'landed'
    and receipt.channel = 'auto'
    and receipt.complete_for is null
    and receipt.landed_at < (select min(applied_at) from quality.migrations where version = 2)
    and (
        receipt.file_name is null
        or receipt.table_name in (
            'met_feeder', 'met_meter', 'met_measuring_point', 'met_it', 'mkt_org', 'mkt_customer', 'mkt_contact',
            'mkt_account', 'mkt_transformer', 'mkt_mp', 'mkt_meter_install', 'mkt_tariff_assign', 'mkt_penalty',
            'mkt_application', 'mkt_app_stage', 'mkt_ticket', 'mkt_outage_plan', 'mkt_outage_affected',
            'mkt_outage_notice', 'mkt_manager', 'mkt_manager_assign', 'mkt_inspection', 'mkt_hazard', 'mkt_violation',
            'mkt_access_list', 'mkt_manager_assessment', 'mkt_service_tier', 'mkt_supply_security',
            'mkt_corrective_action', 'mkt_notification', 'con_contract', 'con_trade_agreement'
        )
        and not exists (
            select 1
            from quality.receipts as beside
            where
                beside.table_name = receipt.table_name
                and beside.business_date = receipt.business_date
                and beside.channel = 'auto'
                and beside.file_name <> receipt.file_name
        )
    );
