// Stands in for a database UI: answers every path, so that a health check or a test sees that the port is served.
const { PORT, NAME } = process.env;
require("node:http")
  .createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<title>${NAME}</title><p>stand-in for ${NAME}</p>\n`);
  })
  .listen(Number(PORT), () => console.log(`stand-in for ${NAME} on port ${PORT}`));
// As process 1 it would otherwise ignore the signal and be killed ten seconds later.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
