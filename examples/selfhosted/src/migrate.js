// Runs migrations/*.sql in the order of their names, each one once. The journal remembers which.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "./pg.js";

const folder = new URL("../migrations/", import.meta.url);
const literal = (value) => `'${value.replaceAll("'", "''")}'`;

async function migrate(client) {
  // Held until this connection ends: of two starting containers one waits for the other.
  await client.query("SELECT pg_advisory_lock(20260118)");
  await client.query(
    `CREATE TABLE IF NOT EXISTS migration_journal (
       name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  const applied = new Map(await client.query("SELECT name, checksum FROM migration_journal"));

  for (const name of readdirSync(folder).filter((file) => file.endsWith(".sql")).sort()) {
    const sql = readFileSync(new URL(name, folder), "utf8");
    const checksum = createHash("sha256").update(sql).digest("hex");
    if (applied.has(name)) {
      if (applied.get(name) !== checksum) throw new Error(`${name} was changed after it had been applied`);
      continue;
    }
    // Both or neither: a file that fails leaves no trace, and can be corrected and run again.
    await client.query(
      `BEGIN; ${sql}\n; INSERT INTO migration_journal (name, checksum) VALUES (${literal(name)}, ${literal(checksum)}); COMMIT`,
    );
    console.log(`applied ${name}`);
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
