'use strict'
// The database side of the stand-in engine: the official adapter with a few corrections.
const { randomUUID } = require('node:crypto')
const { PrismaPg } = require('@prisma/adapter-pg')
const { DriverAdapterError } = require('@prisma/driver-adapter-utils')

// What went wrong last, for the errors that the engine words by itself.
const seen = { kind: null, script: null, shadow: null, offline: false }

// A comparison of schema files needs no server: the engine's question for its version is answered here.
const OFFLINE_VERSION = {
  fields: [{ name: 'exists', dataTypeID: 16 }, { name: 'version', dataTypeID: 25 }, { name: 'numeric_version', dataTypeID: 23 }],
  rows: [[true, 'PostgreSQL 16.0', 160000]], rowCount: 1,
}

function poolConfig(url) {
  const u = new URL(url)
  const schema = u.searchParams.get('schema') ?? 'public'
  const cfg = {
    host: u.searchParams.get('host') ?? decodeURIComponent(u.hostname).replace(/^\[|\]$/g, ''),
    port: u.port ? Number(u.port) : 5432,
    user: decodeURIComponent(u.username) || undefined,
    password: decodeURIComponent(u.password) || undefined,
    database: decodeURIComponent(u.pathname.slice(1)) || 'postgres',
    options: `-c search_path=${JSON.stringify(schema)}`,
    connectionTimeoutMillis: 1000 * Number(u.searchParams.get('connect_timeout') ?? 5),
    max: 4,
    allowExitOnIdle: true,
  }
  const ssl = u.searchParams.get('sslmode')
  if (ssl === 'require') cfg.ssl = { rejectUnauthorized: false }
  return { cfg, schema }
}

const AS_TEXT = new Set([18, 19, 22, 24, 28, 29, 30, 194, 1002, 1003, 2205, 2206, 3361, 3402, 5017])
function relabel(result) {          // catalog types adapter-pg does not map ("char", name, int2vector, ...)
  for (const f of result?.fields ?? []) if (AS_TEXT.has(f.dataTypeID)) f.dataTypeID = 25
  return result
}
// User-facing codes for connection failures (the wasm constructor keeps the text but drops the code).
const CODES = { DatabaseNotReachable: 'P1001', AuthenticationFailed: 'P1000', DatabaseDoesNotExist: 'P1003',
  DatabaseAccessDenied: 'P1010', TlsConnectionError: 'P1011', SocketTimeout: 'P1008', ConnectionClosed: 'P1017' }
const NET = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])
function unify(e, cfg) {            // what the native engine reports as P1001, with host:port
  if (NET.has(e.code) || /timeout exceeded when trying to connect|Connection terminated due to connection timeout/.test(e.message)) {
    return Object.assign(new Error(e.message), { code: 'ECONNREFUSED', syscall: 'connect', errno: -111, address: cfg.host, port: cfg.port })
  }
  return e
}
function correct(adapter, client, cfg) {
  const onError = adapter.onError.bind(adapter)
  adapter.onError = (e) => {
    try { onError(unify(e, cfg)) } catch (out) { seen.kind = out.cause?.kind ?? null; throw out }
  }
  const io = adapter.performIO.bind(adapter)
  adapter.performIO = async (q) => {
    if (seen.offline && /current_setting\('server_version_num'\)/.test(q.sql)) return OFFLINE_VERSION
    return relabel(await io(q))
  }
  // adapter-pg splits scripts on ';' (breaks DO $$ .. $$ and functions); the native engine
  // sends the script whole through the simple protocol.
  adapter.executeScript = async (script) => {
    try { await client.query(script) } catch (e) {
      if (typeof e.severity !== 'string') adapter.onError(e)
      seen.script = { script, e }
      throw new DriverAdapterError({ kind: 'postgres', originalCode: e.code, originalMessage: e.message,
        code: e.code, severity: e.severity, message: e.message, detail: e.detail, column: e.column, hint: e.hint })
    }
  }
  if (adapter.startTransaction) {
    const begin = adapter.startTransaction.bind(adapter)
    adapter.startTransaction = async (...a) => correct(await begin(...a), undefined, cfg)
  }
  return adapter
}

class Factory extends PrismaPg {
  constructor(url, shadowUrl) {
    const { cfg, schema } = poolConfig(url)
    super(cfg, { schema })
    this.shadowUrl = shadowUrl
    this.schema = schema
    this.pools = []
  }
  track(adapter) {
    const pool = adapter.underlyingDriver()
    this.pools.push(pool)
    return correct(adapter, pool, pool.options)
  }
  async connect() { return this.track(await super.connect()) }
  async connectToShadowDb() {
    if (this.shadowUrl) return this.track(await new PrismaPg(poolConfig(this.shadowUrl).cfg, { schema: this.schema }).connect())
    const name = `prisma_migrate_shadow_db_${randomUUID()}`
    const main = await super.connect()
    try { await main.executeScript(`CREATE DATABASE "${name}"`) }
    catch (e) { await main.dispose(); seen.shadow = seen.script?.e ?? e; throw e }
    const shadow = this.track(await new PrismaPg({ ...this.config, database: name }, { schema: this.schema }).connect())
    const close = shadow.dispose.bind(shadow)
    shadow.dispose = async () => {
      await close()
      try { await main.executeScript(`DROP DATABASE IF EXISTS "${name}"`) } finally { await main.dispose() }
    }
    return shadow
  }
  async closeAll() { await Promise.all(this.pools.map((p) => (p.ended || p.ending ? null : p.end().catch(() => {})))) }
}

module.exports = { CODES, Factory, poolConfig, seen }
