import { connect } from "./pg.js";

/** Ask the database. The answer names what failed and an error code, never an address or a password. */
export async function health(env) {
  const database = await selectOne(env.DATABASE_URL).then(() => "ok", (error) => String(error.code ?? "unknown error"));
  const failed = database === "ok" ? [] : ["database"];
  return { status: failed.length ? "error" : "ok", failed, checks: { database } };
}

async function selectOne(address) {
  const client = await connect(address);
  try {
    await client.query("SELECT 1");
  } finally {
    client.end();
  }
}
