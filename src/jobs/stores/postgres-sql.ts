/** What pg-boss has no word for, in SQL on its table and on three small ones beside it. */
import { MOST_HISTORY, WORKER_SILENT_MS } from './words.ts';

/** Of pg-boss's tables and of ours, in whichever database the queue lives. */
export const SCHEMA = 'bulkhead_jobs';

/** All our queues are pg-boss's unpartitioned ones, whose jobs lie here. */
const JOB = `${SCHEMA}.job_common`;
const ATTEMPT = `${SCHEMA}.bulkhead_attempt`;
const PAUSE = `${SCHEMA}.bulkhead_pause`;
const WORKER = `${SCHEMA}.bulkhead_worker`;

/**
 * Rings when a job waits that did not, for the workers of other containers: one that is alone knows what it does, and who
 * notifies commits one after the other. One for each database.
 */
const CHANNEL = 'bulkhead_jobs';

/** One line per active job: whose it is, until when, and what it was told. `IF NOT EXISTS`: under a lock, at every start. */
export const TABLES = `
  SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('${SCHEMA}', 0));
  CREATE TABLE IF NOT EXISTS ${ATTEMPT} (
    job_id uuid PRIMARY KEY,
    type text NOT NULL,
    token uuid NOT NULL,
    worker text NOT NULL,
    lease_until timestamptz NOT NULL,
    cancel_requested boolean NOT NULL DEFAULT false,
    progress jsonb
  ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  CREATE TABLE IF NOT EXISTS ${PAUSE} (type text PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS ${WORKER} (
    id text PRIMARY KEY,
    host text NOT NULL,
    active integer NOT NULL,
    seen_at timestamptz NOT NULL
  );
  CREATE INDEX IF NOT EXISTS bulkhead_job_list ON ${JOB} (created_on DESC, id DESC);
  CREATE OR REPLACE FUNCTION ${SCHEMA}.bulkhead_ring() RETURNS trigger LANGUAGE plpgsql AS $ring$ BEGIN
    IF (SELECT count(*) > 1 FROM ${WORKER} WHERE seen_at > now() - interval '${WORKER_SILENT_MS} milliseconds')
    THEN PERFORM pg_catalog.pg_notify('${CHANNEL}', ''); END IF;
    RETURN NULL;
  END $ring$;
  DO $do$ BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = '${JOB}'::regclass AND tgname = 'bulkhead_ring')
    THEN RETURN; END IF;
    CREATE TRIGGER bulkhead_ring AFTER INSERT OR UPDATE OF state ON ${JOB}
      FOR EACH ROW WHEN (NEW.state < 'active') EXECUTE FUNCTION ${SCHEMA}.bulkhead_ring();
  END $do$;`;

/** $1 a word that whoever listens hears. */
export const SAY = `SELECT pg_catalog.pg_notify('${CHANNEL}', $1)`;
export const LISTEN = `LISTEN ${CHANNEL}`;
/** Behind a pooler it is another one from time to time, and nothing would be heard. */
export const BACKEND = 'SELECT pg_catalog.pg_backend_pid() AS pid';

export const SCHEMA_EXISTS = `SELECT FROM pg_catalog.pg_namespace WHERE nspname = '${SCHEMA}'`;

/** A job with what its attempt knows. A started job has made one attempt more than it was retried. */
const VIEW = `
  SELECT j.id, j.name, j.state::text AS state, j.priority, j.data, j.singleton_key, j.retry_limit + 1 AS max_attempts,
         CASE WHEN j.started_on IS NULL THEN 0 ELSE j.retry_count + 1 END AS attempts,
         j.created_on, j.started_on, j.completed_on, j.output,
         CASE WHEN j.state < 'active' AND j.start_after > now() THEN j.start_after END AS start_after,
         (extract(epoch FROM j.created_on) * 1000000)::bigint::text AS created_us,
         a.worker, a.progress, a.cancel_requested
    FROM ${JOB} j LEFT JOIN ${ATTEMPT} a ON a.job_id = j.id AND j.state = 'active'`;

/** $1 id. The key of pg-boss's table begins with the name, so each queue is looked up in turn. */
export const GET = `${VIEW} WHERE j.id = $1 AND j.name = ANY (ARRAY(SELECT name FROM ${SCHEMA}.queue))`;

/** $1 type, $2 singleton_key */
export const HOLDER = `SELECT id FROM ${JOB} WHERE name = $1 AND singleton_key = $2 AND state <= 'active' AND policy = 'exclusive'`;

/** $1 states or null, $2 type or null, $3 created_us and $4 id of the cursor or null, $5 limit */
export const LIST = `${VIEW}
   WHERE ($1::text[] IS NULL OR j.state::text = ANY ($1)) AND ($2::text IS NULL OR j.name = $2)
     AND ($3::bigint IS NULL OR (j.created_on, j.id)
          < ('epoch'::timestamptz + $3::bigint * interval '1 microsecond', $4::uuid))
   ORDER BY j.created_on DESC, j.id DESC LIMIT $5`;

export const COUNTS = `
  SELECT name, state::text AS state, count(*)::int AS count,
         min(created_on) FILTER (WHERE state < 'active' AND start_after <= now()) AS oldest
    FROM ${JOB} GROUP BY 1, 2`;

/** $1 most: counts no further. */
export const WAITING = `SELECT count(*)::int AS waiting FROM (SELECT FROM ${JOB} WHERE state < 'active' LIMIT $1) w`;

/**
 * $1 types, $2 counts, $3 most, $4 worker, $5 lease in ms. Each type's best are locked and those that another holds are
 * passed over; the best of them all are taken. Types that are paused give nothing.
 * One row at least, which says of what time that is, in µs: where nothing was taken it has no job.
 */
export const CLAIM = `
  WITH wish AS MATERIALIZED (
    SELECT w.type, w.n FROM unnest($1::text[], $2::int[]) AS w(type, n)
     WHERE w.n > 0 AND NOT EXISTS (SELECT FROM ${PAUSE} p WHERE p.type IN ('', w.type))
  ), next AS MATERIALIZED (
    SELECT j.id, j.name, j.priority, j.created_on FROM wish CROSS JOIN LATERAL (
      SELECT id, name, priority, created_on FROM ${JOB}
       WHERE name = wish.type AND state < 'active' AND NOT blocked AND start_after <= now()
       ORDER BY priority DESC, created_on LIMIT wish.n FOR UPDATE SKIP LOCKED) j
     ORDER BY j.priority DESC, j.created_on LIMIT $3
  ), taken AS (
    UPDATE ${JOB} j SET state = 'active', started_on = now(), heartbeat_on = now(),
           retry_count = CASE WHEN j.started_on IS NULL THEN j.retry_count ELSE j.retry_count + 1 END
      FROM next WHERE j.name = next.name AND j.id = next.id
    RETURNING j.id, j.name, j.data, j.priority, j.retry_count, j.retry_limit, j.created_on
  ), leased AS (
    INSERT INTO ${ATTEMPT} (job_id, type, token, worker, lease_until)
    SELECT id, name, gen_random_uuid(), $4, now() + $5 * interval '1 millisecond' FROM taken
    ON CONFLICT (job_id) DO UPDATE SET token = excluded.token, worker = excluded.worker,
       lease_until = excluded.lease_until, cancel_requested = false, progress = NULL
    RETURNING job_id, token
  )
  SELECT (extract(epoch FROM now()) * 1000000)::bigint::text AS claimed_us,
         t.id, t.name, t.data, t.priority, t.retry_count + 1 AS attempt, t.retry_limit + 1 AS max_attempts, l.token
    FROM (SELECT) once LEFT JOIN (taken t JOIN leased l ON l.job_id = t.id) ON true ORDER BY t.priority DESC, t.created_on`;

/** $1 types, $2 claimed_us of the last claim, or null. What became due since then is late already, and below 0. */
export const UNTIL_DUE = `
  SELECT (extract(epoch FROM min(start_after) - now()) * 1000)::float8 AS ms FROM ${JOB}
   WHERE name = ANY ($1::text[]) AND state < 'active' AND NOT blocked
     AND start_after > coalesce('epoch'::timestamptz + $2::bigint * interval '1 microsecond', now())`;

/** $1 ids, $2 tokens, $3 progresses (json or null), $4 lease in ms. In one order, so that two never wait for each other. */
export const RENEW = `
  WITH ours AS (
    SELECT a.job_id, r.progress FROM ${ATTEMPT} a
      JOIN unnest($1::uuid[], $2::uuid[], $3::jsonb[]) AS r(id, token, progress) ON a.job_id = r.id AND a.token = r.token
     ORDER BY a.job_id FOR UPDATE OF a
  )
  UPDATE ${ATTEMPT} a SET lease_until = now() + $4 * interval '1 millisecond', progress = coalesce(ours.progress, a.progress)
    FROM ours WHERE a.job_id = ours.job_id
  RETURNING a.job_id, a.token, a.cancel_requested`;

/** $1 ids, $2 tokens */
export const CANCEL_REQUESTS = `
  SELECT a.job_id FROM ${ATTEMPT} a JOIN unnest($1::uuid[], $2::uuid[]) AS r(id, token) ON a.job_id = r.id AND a.token = r.token
   WHERE a.cancel_requested`;

/** The fence: only who holds the token ends the attempt, and only once. $1 id, $2 token, $3 type. */
const MINE = `WITH mine AS (DELETE FROM ${ATTEMPT} WHERE job_id = $1 AND token = $2 RETURNING *)`;
const OF_MINE = `FROM mine WHERE j.name = $3 AND j.id = mine.job_id AND j.state = 'active'`;
/** `what` is to be remembered; who did it, and how far it came, belongs to it. */
const remembered = (what: string): string =>
  `jsonb_strip_nulls(jsonb_build_object('worker', mine.worker, 'progress', mine.progress)) || ${what}::jsonb`;

const iso = (time: string): string => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
/** What is remembered of each attempt of `j` that is over, with this one; a subscript below 0 is none, in lax mode. */
const withEnd = (
  end: string,
  failure = 'NULL::jsonb',
): string => `jsonb_build_object('history', jsonb_path_query_array(
      coalesce(j.output->'history', '[]') || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'attempt', j.retry_count + 1, 'startedAt', ${iso('j.started_on')}, 'endedAt', ${iso('now()')},
        'end', ${end}, 'failure', ${failure}, 'worker', mine.worker))), '$[last - ${MOST_HISTORY - 1} to last]'))`;
const unlessCancelled = (end: string): string =>
  `CASE WHEN mine.cancel_requested THEN 'cancelled' ELSE '${end}' END`;

export const COMPLETE = `${MINE}
  UPDATE ${JOB} j SET state = 'completed', completed_on = now(),
    output = ${remembered('$4')} || ${withEnd("'completed'")} ${OF_MINE}`;

/** $5 ms until the next attempt, or null. */
export const FAIL = `${MINE}
  UPDATE ${JOB} j SET
    state = (CASE WHEN mine.cancel_requested THEN 'cancelled' WHEN $5::float8 IS NULL THEN 'failed' ELSE 'retry'
             END)::${SCHEMA}.job_state,
    completed_on = CASE WHEN mine.cancel_requested OR $5 IS NULL THEN now() END,
    start_after = CASE WHEN $5 IS NULL THEN j.start_after ELSE now() + $5 * interval '1 millisecond' END,
    output = ${remembered('$4')} || ${withEnd(unlessCancelled('failed'), "$4::jsonb->'failure'")} ${OF_MINE}`;

const RELEASED = `
    state = (CASE WHEN mine.cancel_requested THEN 'cancelled' WHEN j.retry_count = 0 THEN 'created' ELSE 'retry'
             END)::${SCHEMA}.job_state,
    completed_on = CASE WHEN mine.cancel_requested THEN now() END,
    retry_count = CASE WHEN mine.cancel_requested THEN j.retry_count ELSE greatest(j.retry_count - 1, 0) END,
    started_on = CASE WHEN j.retry_count = 0 AND NOT mine.cancel_requested THEN NULL ELSE j.started_on END,
    output = coalesce(j.output, '{}') || ${withEnd(unlessCancelled('released'))}`;

/** The attempt is not charged: a first one never was, a later one takes its retry back. */
export const RELEASE = `${MINE} UPDATE ${JOB} j SET ${RELEASED} ${OF_MINE}`;

/** $1 worker, $2 the tokens it knows */
export const DISOWN = `
  WITH mine AS (DELETE FROM ${ATTEMPT} WHERE worker = $1 AND token <> ALL ($2::uuid[]) RETURNING *)
  UPDATE ${JOB} j SET ${RELEASED} FROM mine WHERE j.name = mine.type AND j.id = mine.job_id AND j.state = 'active'`;

export const CANCELLED = `${MINE}
  UPDATE ${JOB} j SET state = 'cancelled', completed_on = now(),
    output = coalesce(j.output, '{}') || ${remembered('$4')} || ${withEnd("'cancelled'")} ${OF_MINE}`;

/** $1 id, $2 type */
export const CANCEL_WAITING = `UPDATE ${JOB} SET state = 'cancelled', completed_on = now() WHERE name = $2 AND id = $1 AND state < 'active'`;
/** $1 id */
export const CANCEL_ACTIVE = `UPDATE ${ATTEMPT} SET cancel_requested = true WHERE job_id = $1`;

const ANEW = `state = 'created', retry_count = 0, started_on = NULL, completed_on = NULL, start_after = j.created_on,
    output = CASE WHEN j.output ? 'history' THEN jsonb_build_object('history', j.output->'history') END,
    data = coalesce(j.data, '{}') || jsonb_build_object('round', coalesce((j.data->>'round')::int, 0) + 1)`;

/** $1 id, $2 type */
export const RETRY = `UPDATE ${JOB} j SET ${ANEW} WHERE name = $2 AND id = $1 AND state > 'active'`;
export const REMOVE = `DELETE FROM ${JOB} WHERE name = $2 AND id = $1 AND state <> 'active'`;

/** $1 type or null. Of failed jobs with one key the newest; none whose key is taken. */
export const REDRIVE = `
  UPDATE ${JOB} j SET ${ANEW} FROM (
    SELECT DISTINCT ON (f.name, f.singleton_key) f.name, f.id FROM ${JOB} f
     WHERE f.state = 'failed' AND ($1::text IS NULL OR f.name = $1)
       AND NOT EXISTS (SELECT FROM ${JOB} o WHERE o.name = f.name AND o.singleton_key = f.singleton_key AND o.state <= 'active')
     ORDER BY f.name, f.singleton_key, f.created_on DESC) d
   WHERE j.name = d.name AND j.id = d.id AND j.state = 'failed'`;

/** $1 type; the empty one stands for all. It rings: other workers show their people what is paused. */
export const PAUSE_ONE = `WITH paused AS (INSERT INTO ${PAUSE} (type) VALUES ($1) ON CONFLICT DO NOTHING)
  SELECT pg_catalog.pg_notify('${CHANNEL}', '')`;
/** $1 type; the empty one stands for all. */
export const RESUME = `WITH gone AS (DELETE FROM ${PAUSE} WHERE type = $1 OR $1 = '')
  SELECT pg_catalog.pg_notify('${CHANNEL}', '')`;
export const PAUSED = `SELECT type FROM ${PAUSE} ORDER BY type`;

/** $1 id, $2 host, $3 active, $4 a word that whoever listens hears */
export const BEAT = `
  WITH beat AS (INSERT INTO ${WORKER} (id, host, active, seen_at) VALUES ($1, $2, $3, now())
    ON CONFLICT (id) DO UPDATE SET host = excluded.host, active = excluded.active, seen_at = excluded.seen_at)
  SELECT pg_catalog.pg_notify('${CHANNEL}', $4)`;
export const LEAVE = `DELETE FROM ${WORKER} WHERE id = $1`;
/** $1 ms of silence */
export const WORKERS = `SELECT id, host, active, seen_at FROM ${WORKER} WHERE seen_at > now() - $1 * interval '1 millisecond'`;
export const FORGET_WORKERS = `DELETE FROM ${WORKER} WHERE seen_at < now() - interval '1 day'`;

/** $1 what is remembered of a lost lease, $2 a worker that is gone, or null. Two sweepers pass over each other's rows. */
export const EXPIRE = `
  WITH late AS (
    SELECT job_id FROM ${ATTEMPT} WHERE lease_until <= now() OR worker = $2::text ORDER BY job_id FOR UPDATE SKIP LOCKED
  ), mine AS (
    DELETE FROM ${ATTEMPT} a USING late WHERE a.job_id = late.job_id RETURNING a.*
  )
  UPDATE ${JOB} j SET
    state = (CASE WHEN mine.cancel_requested THEN 'cancelled' WHEN j.retry_count < j.retry_limit THEN 'retry' ELSE 'failed'
             END)::${SCHEMA}.job_state,
    completed_on = CASE WHEN mine.cancel_requested OR j.retry_count >= j.retry_limit THEN now() END,
    start_after = now(),
    output = ${remembered('$1')} || ${withEnd(unlessCancelled('failed'), "$1::jsonb->'failure'")}
    FROM mine WHERE j.name = mine.type AND j.id = mine.job_id AND j.state = 'active'
  RETURNING j.id, j.name, j.state::text AS state`;

/** $1 completed and $2 failed, in ms, $3 most, $4 how many at once */
export const OUTLIVED = `
  DELETE FROM ${JOB} j USING (
    SELECT name, id FROM (
      SELECT name, id, state, completed_on, row_number() OVER (ORDER BY completed_on DESC, id) AS n
        FROM ${JOB} WHERE state > 'active') f
     WHERE n > $3 OR completed_on <= now()
           - CASE WHEN state = 'completed' THEN $1::float8 ELSE $2::float8 END * interval '1 millisecond'
     LIMIT $4) gone
   WHERE j.name = gone.name AND j.id = gone.id AND j.state > 'active'`;

/** $1 jobs as JSON. What was active elsewhere waits again. */
export const ADOPT = `
  INSERT INTO ${JOB} (id, name, data, priority, state, retry_limit, retry_count, singleton_key, policy,
                      created_on, start_after, started_on, completed_on, output)
  SELECT id, name, data, priority, state::${SCHEMA}.job_state, retry_limit, retry_count, singleton_key, 'exclusive',
         created_on, coalesce(start_after, created_on), started_on, completed_on, output
    FROM json_to_recordset($1::json) AS n (id uuid, name text, data jsonb, priority int, state text, retry_limit int,
         retry_count int, singleton_key text, created_on timestamptz, start_after timestamptz, started_on timestamptz,
         completed_on timestamptz, output jsonb)
  ON CONFLICT DO NOTHING`;

/** $1 ids, $2 types: those that are there */
export const PRESENT = `SELECT j.id FROM ${JOB} j JOIN unnest($1::uuid[], $2::text[]) AS n(id, name) ON j.name = n.name AND j.id = n.id`;
