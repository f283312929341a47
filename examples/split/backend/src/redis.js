// Just enough Redis: log in when the URL has a password, then PING.
import net from "node:net";

export async function ping(address, { timeout = 3000 } = {}) {
  const url = new URL(address);
  const socket = net.connect({ host: url.hostname, port: Number(url.port || 6379) });
  socket.setTimeout(timeout, () => socket.destroy(failure("ETIMEDOUT", "no answer in time")));
  const commands = [["PING"]];
  if (url.password) commands.unshift(["AUTH", ...[url.username, url.password].filter(Boolean).map(decodeURIComponent)]);
  socket.write(commands.map(encode).join(""));

  let reply = "";
  for await (const chunk of socket) {
    reply += chunk;
    if (reply.startsWith("-")) throw failure(reply.slice(1).split(" ", 1)[0], "Redis refused"); // e.g. NOAUTH
    if (reply.endsWith("+PONG\r\n")) return;
  }
  throw failure("ECONNRESET", "the server closed the connection");
}

const encode = (words) =>
  `*${words.length}\r\n` + words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("");

const failure = (code, message) => Object.assign(new Error(message), { code });
