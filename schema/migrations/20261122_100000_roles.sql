-- Three roles, none of which can log in by itself: a login is made a member of one.
--   owner        owns the log and changes its shape
--   application  reads the log, appends through one function, owns the read models
--   reporting    reads the read models, and nothing else
-- Roles belong to the cluster, so another database of it may have made them already.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'quartermaster_owner', 'quartermaster_application', 'quartermaster_reporting'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
        EXECUTE format('GRANT %I TO CURRENT_USER', name);
    END LOOP;
END
$$;

CREATE SCHEMA log AUTHORIZATION quartermaster_owner;
CREATE SCHEMA vault AUTHORIZATION quartermaster_owner;
CREATE SCHEMA reading AUTHORIZATION quartermaster_application;

GRANT USAGE ON SCHEMA log, vault TO quartermaster_application;
GRANT USAGE ON SCHEMA reading TO quartermaster_reporting;
ALTER DEFAULT PRIVILEGES FOR ROLE quartermaster_application IN SCHEMA reading
    GRANT SELECT ON TABLES TO quartermaster_reporting;
