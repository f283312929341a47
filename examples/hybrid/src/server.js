import { createHash } from "node:crypto";
import http from "node:http";
import { health } from "./health.js";

const routes = {
  "/": () => [200, { greeting: process.env.FEATURE_GREETING ?? "hi", mode: process.env.NODE_ENV }],

  "/api/health": async () => {
    const report = await health(process.env);
    return [report.status === "ok" ? 200 : 503, report];
  },

  // Shows that the keys asked for have arrived, without showing their values.
  // A digest of a short secret can be guessed: do not copy this route into a real service.
  "/api/env": (query) => {
    const keys = (query.get("keys") ?? "").split(",").filter(Boolean);
    return [200, Object.fromEntries(keys.map((key) => [key, digest(key)]))];
  },
};

// Own keys only: process.env has inherited ones, such as toString, which are no variables.
const digest = (key) =>
  Object.hasOwn(process.env, key) ? createHash("sha256").update(process.env[key]).digest("hex") : null;

const server = http.createServer(async (request, response) => {
  const [path, query] = request.url.split("?", 2);
  const route = Object.hasOwn(routes, path) ? routes[path] : () => [404, { error: "not found" }];
  const [status, body] = await route(new URLSearchParams(query));
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body) + "\n");
});

server.listen(Number(process.env.PORT || 3000), () => console.log(`listening on ${server.address().port}`));

// As a container's first process Node would ignore these signals, and every stop would take ten seconds.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
