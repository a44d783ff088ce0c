-- The events of the stream as they arrive, before a delivery brings them: taken in when somebody asks for a refresh, as
-- a view that refreshes itself keeps the warehouse awake, and its bill running. What is no JSON is left out here; the
-- stream's consumer puts it into quarantine.
CREATE EXTERNAL SCHEMA IF NOT EXISTS events FROM KINESIS IAM_ROLE default;
DROP MATERIALIZED VIEW IF EXISTS marts.application_events_live;
CREATE MATERIALIZED VIEW marts.application_events_live AUTO REFRESH NO AS
SELECT
  approximate_arrival_timestamp AS arrived_at,
  shard_id,
  sequence_number,
  CAST(JSON_EXTRACT_PATH_TEXT(FROM_VARBYTE(kinesis_data, 'utf-8'), 'event_id') AS VARCHAR(64)) AS event_id,
  CAST(JSON_EXTRACT_PATH_TEXT(FROM_VARBYTE(kinesis_data, 'utf-8'), 'loan_id') AS VARCHAR(64)) AS loan_id,
  CAST(JSON_EXTRACT_PATH_TEXT(FROM_VARBYTE(kinesis_data, 'utf-8'), 'stage') AS VARCHAR(64)) AS stage,
  CAST(JSON_EXTRACT_PATH_TEXT(FROM_VARBYTE(kinesis_data, 'utf-8'), 'team') AS VARCHAR(64)) AS team,
  CAST(JSON_EXTRACT_PATH_TEXT(FROM_VARBYTE(kinesis_data, 'utf-8'), 'occurred_at') AS VARCHAR(40)) AS occurred_at
FROM events."${prefix}-events"
WHERE CAN_JSON_PARSE(kinesis_data);
GRANT SELECT ON TABLE marts.application_events_live TO ROLE analyst;
GRANT SELECT ON TABLE marts.application_events_live TO ROLE risk_officer;

-- Only its owner may refresh a materialized view.
CREATE OR REPLACE PROCEDURE ops.refresh_application_events_live() AS $$
BEGIN
  REFRESH MATERIALIZED VIEW marts.application_events_live;
END;
$$ LANGUAGE plpgsql SECURITY DEFINER;
GRANT EXECUTE ON PROCEDURE ops.refresh_application_events_live() TO ROLE analyst;
GRANT EXECUTE ON PROCEDURE ops.refresh_application_events_live() TO ROLE risk_officer;
