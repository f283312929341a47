// Runs migrations/*.sql in the order of their names, each one once. The journal remembers which; it is the one that
// `inv db.migrate` and `inv db.status` keep, so both see what the other has done.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "./pg.js";

const folder = new URL("../migrations/", import.meta.url);
const literal = (value) => `'${value.replaceAll("'", "''")}'`;

async function migrate(client) {
  // Held until this connection ends: of two starting containers one waits for the other.
  await client.query("SELECT pg_advisory_lock(7235419880142)");
  await client.query(
    `CREATE TABLE IF NOT EXISTS _sql_migrations (
       name text PRIMARY KEY, checksum text NOT NULL, started_at timestamptz NOT NULL DEFAULT now(),
       finished_at timestamptz, leaves_parts boolean NOT NULL DEFAULT false, error text)`,
  );
  const applied = new Map(await client.query("SELECT name, checksum FROM _sql_migrations WHERE finished_at IS NOT NULL"));

  for (const file of readdirSync(folder).filter((each) => each.endsWith(".sql")).sort()) {
    const name = file.slice(0, -".sql".length);
    const sql = readFileSync(new URL(file, folder), "utf8");
    const checksum = createHash("sha256").update(sql).digest("hex");
    if (applied.has(name)) {
      if (applied.get(name) !== checksum) throw new Error(`${file} was changed after it had been applied`);
      continue;
    }
    // Both or neither: a file that fails leaves no trace, and can be corrected and run again.
    await client.query(
      `BEGIN; ${sql}\n; INSERT INTO _sql_migrations (name, checksum, finished_at)
       VALUES (${literal(name)}, ${literal(checksum)}, now())
       ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, finished_at = now(), error = NULL; COMMIT`,
    );
    console.log(`applied ${file}`);
  }
}

try {
  const client = await connect(process.env.DATABASE_URL, { timeout: 0 });
  await migrate(client);
  client.end();
} catch (error) {
  console.error(`migration failed: ${error.message}`);
  process.exit(1);
}
