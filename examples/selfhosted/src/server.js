import http from "node:http";
import { health } from "./health.js";
import { connect } from "./pg.js";

const routes = {
  "/": async () => [200, { notes: await notes() }],
  "/api/health": async () => {
    const report = await health(process.env);
    return [report.status === "ok" ? 200 : 503, report];
  },
};

// Written by migrations/: that they are here shows that the migrations ran.
async function notes() {
  const client = await connect(process.env.DATABASE_URL);
  try {
    return (await client.query("SELECT body FROM note ORDER BY id")).map(([body]) => body);
  } finally {
    client.end();
  }
}

const server = http.createServer(async (request, response) => {
  const path = request.url.split("?", 1)[0];
  const route = Object.hasOwn(routes, path) ? routes[path] : () => [404, { error: "not found" }];
  const [status, body] = await Promise.resolve(route()).catch(() => [503, { error: "no database" }]);
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body) + "\n");
});

server.listen(Number(process.env.PORT || 3000), () => console.log(`listening on ${server.address().port}`));

// As a container's first process Node would ignore these signals, and every stop would take ten seconds.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
