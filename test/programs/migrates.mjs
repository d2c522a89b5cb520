/**
 * A migration that shows whether it was alone: one row with its beginning and its end. With a file as argument, the
 * first run that makes it takes a lock and hangs, as a migrator does whose session outlives it.
 */
import { existsSync, writeFileSync } from 'node:fs';
import pg from 'pg';

const [, , hangs] = process.argv;
const client = new pg.Client({
  connectionString: process.env.DATABASE_URL,
  application_name: process.env.PGAPPNAME,
});
await client.connect();
await client.query('SELECT pg_advisory_lock(7)');
if (hangs !== undefined && !existsSync(hangs)) {
  writeFileSync(hangs, '');
  process.stdout.write('hanging\n');
  await client.query('SELECT pg_sleep(600)');
}
await client.query('CREATE TABLE IF NOT EXISTS runs (id serial, begun timestamptz, ended timestamptz)');
const { rows } = await client.query('INSERT INTO runs (begun) VALUES (clock_timestamp()) RETURNING id');
await client.query('SELECT pg_sleep(0.3)');
await client.query('UPDATE runs SET ended = clock_timestamp() WHERE id = $1', [rows[0].id]);
await client.end();
process.stdout.write('migrated\n');
