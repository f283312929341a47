import http from "node:http";

async function backendStatus() {
  try {
    const answer = await fetch(`${process.env.BACKEND_URL}/api/health`, { signal: AbortSignal.timeout(4000) });
    return answer.ok ? "ok" : String(answer.status);
  } catch {
    return "unreachable";
  }
}

const page = (status) => `<!doctype html>
<title>split</title>
<p>Backend: ${status}
<p><a href="${process.env.NEXT_PUBLIC_API_URL}/api/health">Ask it from here</a>
`;

const server = http.createServer(async (request, response) => {
  const path = request.url.split("?", 1)[0];
  if (path === "/api/health") {
    const backend = await backendStatus();
    const failed = backend === "ok" ? [] : ["backend"];
    response.writeHead(failed.length ? 503 : 200, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(JSON.stringify({ status: failed.length ? "error" : "ok", failed, checks: { backend } }) + "\n");
  } else {
    response.writeHead(path === "/" ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
    response.end(path === "/" ? page(await backendStatus()) : "not found\n");
  }
});

server.listen(Number(process.env.PORT || 3000), () => console.log(`listening on ${server.address().port}`));

// As a container's first process Node would ignore these signals, and every stop would take ten seconds.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
