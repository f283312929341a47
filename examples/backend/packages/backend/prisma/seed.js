// The first rows; running it again adds nothing.
import { connect } from "../src/pg.js";

const client = await connect(process.env.DATABASE_URL);
try {
  await client.query(`INSERT INTO "Note" (body) VALUES ('It works.') ON CONFLICT (body) DO NOTHING`);
} finally {
  client.end();
}
console.log("seeded");
