import { connect } from "./pg.js";
import { ping } from "./redis.js";

/** Ask every service this app needs. The answer names what failed and an error code, never an address or a password. */
export async function health(env) {
  const asked = { database: () => selectOne(env.DATABASE_URL) };
  // Optional: production has no Redis yet.
  if (env.REDIS_URL) asked.redis = () => ping(env.REDIS_URL);

  const checks = Object.fromEntries(
    await Promise.all(
      Object.entries(asked).map(async ([name, ask]) => [
        name,
        await ask().then(() => "ok", (error) => String(error.code ?? "unknown error")),
      ]),
    ),
  );
  const failed = Object.keys(checks).filter((name) => checks[name] !== "ok");
  return { status: failed.length ? "error" : "ok", failed, checks };
}

async function selectOne(address) {
  const client = await connect(address);
  try {
    await client.query("SELECT 1");
  } finally {
    client.end();
  }
}
