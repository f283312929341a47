// A minimal PostgreSQL client: log in, run plain SQL, get rows of text. It has no TLS and no
// parameters, because it only talks to this stack's own database and sends no user input.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import net from "node:net";

/** Log in. `timeout` (ms, 0 = none) limits every wait, so that a silent server cannot hang a health check. */
export async function connect(address, { timeout = 3000 } = {}) {
  const url = new URL(address);
  const user = decodeURIComponent(url.username);
  const database = decodeURIComponent(url.pathname.slice(1)) || user;
  const socket = net.connect({ host: url.hostname, port: Number(url.port || 5432) });
  socket.setTimeout(timeout, () => socket.destroy(failure("ETIMEDOUT", "no answer in time")));
  const incoming = messages(socket);
  const send = (type, ...parts) => socket.write(packet(type, ...parts));

  async function receive() {
    const { value } = await incoming.next();
    if (value.type === "E") throw serverError(value.body);
    return value;
  }

  async function query(sql) {
    send("Q", text(sql));
    const rows = [];
    let error;
    for (;;) {
      const { value } = await incoming.next();
      if (value.type === "D") rows.push(columns(value.body));
      else if (value.type === "E") error ??= serverError(value.body);
      else if (value.type === "Z") break; // sent after an error, too
    }
    if (error) throw error;
    return rows;
  }

  try {
    const version = int32(3 << 16);
    send("", version, text("user"), text(user), text("database"), text(database), text(""));
    await authenticate(send, receive, decodeURIComponent(url.password));
    while ((await receive()).type !== "Z"); // settings, then "ready"
    return { query, end: () => socket.end(packet("X")) };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function authenticate(send, receive, password) {
  const nonce = randomBytes(18).toString("base64");
  let proof;
  for (;;) {
    const { body } = await receive();
    const method = body.readInt32BE(0);
    const data = body.toString("utf8", 4);
    if (method === 0) return; // accepted, or "trust"
    if (method === 3) send("p", text(password));
    else if (method === 10 && data.includes("SCRAM-SHA-256\0")) {
      const first = Buffer.from(`n,,n=,r=${nonce}`);
      send("p", text("SCRAM-SHA-256"), int32(first.length), first);
    } else if (method === 11) {
      proof = scram(password, nonce, data);
      send("p", Buffer.from(proof.message));
    } else if (method !== 12 || data !== `v=${proof?.server}`) {
      // 12 is the server's own proof that it knows the password.
      throw failure("EAUTH", "no supported login method, or a wrong signature");
    }
  }
}

function scram(password, nonce, challenge) {
  const { r, s, i } = Object.fromEntries(challenge.split(",").map((part) => [part[0], part.slice(2)]));
  if (!r?.startsWith(nonce)) throw failure("EAUTH", "the server changed the nonce");
  const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
  const salted = pbkdf2Sync(password.normalize("NFKC"), Buffer.from(s, "base64"), Number(i), 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const signed = `n=,r=${nonce},${challenge},c=biws,r=${r}`;
  const signature = hmac(createHash("sha256").update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, at) => byte ^ signature[at])).toString("base64");
  return { message: `c=biws,r=${r},p=${proof}`, server: hmac(hmac(salted, "Server Key"), signed).toString("base64") };
}

async function* messages(socket) {
  let pending = Buffer.alloc(0);
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk]);
    // A type byte, then a length that counts itself but not the type.
    while (pending.length >= 5 && pending.length > pending.readInt32BE(1)) {
      const end = 1 + pending.readInt32BE(1);
      yield { type: String.fromCharCode(pending[0]), body: pending.subarray(5, end) };
      pending = pending.subarray(end);
    }
  }
  throw failure("ECONNRESET", "the server closed the connection");
}

function columns(body) {
  const row = [];
  for (let at = 2, left = body.readInt16BE(0); left > 0; left--) {
    const size = body.readInt32BE(at); // -1 is NULL
    row.push(size < 0 ? null : body.toString("utf8", at + 4, at + 4 + size));
    at += 4 + Math.max(size, 0);
  }
  return row;
}

function packet(type, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

const int32 = (number) => Buffer.from(Int32Array.of(number).buffer).swap32();
const text = (string) => Buffer.from(`${string}\0`);
const failure = (code, message) => Object.assign(new Error(message), { code });

function serverError(body) {
  const fields = Object.fromEntries(body.toString().split("\0").map((field) => [field[0], field.slice(1)]));
  return failure(fields.C, fields.M);
}
