#!/usr/bin/env node
'use strict'
// Stands in for the executable `schema-engine` that Prisma's CLI downloads, so that the real CLI runs where only npm
// packages can be had. It takes the executable's arguments and speaks its JSON-RPC, one line each way; the engine is
// Prisma's own, compiled to WebAssembly (@prisma/schema-engine-wasm). PostgreSQL only; for tests only.
const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const { pathToFileURL } = require('node:url')
const pg = require('pg')
const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils')
const { CODES, Factory, poolConfig, seen } = require('./database.js')
const { asMigrationFailure, asShadowFailure } = require('./failures.js')

// Two engine builds: 7.x rejects `url` in schema files, 6.x requires it.  Choose by the project's own
// prisma package, else by argv (only 7.x passes `--datasource {json}`); SCHEMA_ENGINE_WASM=6|7 overrides.
function prismaMajor(opts) {
  if (process.env.SCHEMA_ENGINE_WASM) return process.env.SCHEMA_ENGINE_WASM
  try {
    const file = require.resolve('prisma/package.json', { paths: [process.cwd()] })
    const major = JSON.parse(fs.readFileSync(file, 'utf8')).version.split('.')[0]
    if (major === '6' || major === '7') return major
  } catch {}
  return opts.json ? '7' : '6'
}
let WASM_DIR, HASH
function pickEngine(major) {
  WASM_DIR = path.dirname(require.resolve(`engine-wasm-${major}/schema_engine_bg`))
  HASH = JSON.parse(fs.readFileSync(path.join(WASM_DIR, 'package.json'), 'utf8')).version.split('.').pop()
}

function log(level, message, extra = {}) {
  process.stderr.write(JSON.stringify({
    timestamp: new Date().toISOString(), level,
    fields: { message, ...extra }, target: 'schema_engine::logger',
  }) + '\n')
}

// ---------------------------------------------------------------- argv
function parseArgs(argv) {
  const o = { datamodels: [], datasource: null, cli: null }
  for (let i = 0; i < argv.length; i++) {
    const a = argv[i]
    if (a === '--version' || a === '-V') o.version = true
    else if (a === '--datamodels' || a === '--datamodel' || a === '-d') o.datamodels.push(argv[++i])
    else if (a === '--datasource') {
      const v = argv[++i]                       // json (7.x) or, after `cli` (6.x), a bare url
      o.json = v.trim().startsWith('{')
      o.datasource = o.json ? JSON.parse(v) : { url: v }
    } else if (a === '--enabled-preview-features' || a === '--extension-types') i++
    else if (a === 'cli') o.cli = true
    else if (o.cli && !a.startsWith('-')) o.cli = a
  }
  return o
}

// 6.x passes only schema files: find the datasource block's url the way the engine would.
function urlFromSchemas(files) {
  for (const [, text] of files) {
    const block = /^\s*datasource\s+\w+\s*\{([\s\S]*?)^\s*\}/m.exec(text)
    if (!block) continue
    const get = (key) => {
      const m = new RegExp(`^\\s*${key}\\s*=\\s*(?:env\\(\\s*"([^"]+)"\\s*\\)|"([^"]*)")`, 'm').exec(block[1])
      return m ? (m[1] !== undefined ? process.env[m[1]] : m[2]) : undefined
    }
    return { url: get('directUrl') ?? get('url'), shadowDatabaseUrl: get('shadowDatabaseUrl') }
  }
  return null
}

// 6.x `migrate diff` and `db execute` name the database inside the request instead.
function urlFromParams(params) {
  for (const t of [params?.from, params?.to, params?.datasourceType]) {
    if (t?.url) return { url: t.url }
    if (t?.tag === 'schemaDatasource' || t?.tag === 'schema') return urlFromSchemas(t.files.map((f) => [f.path, f.content]))
  }
  return params?.shadowDatabaseUrl ? { url: params.shadowDatabaseUrl } : null
}

// ---------------------------------------------------------------- engine
let bindings
async function loadBindings() {
  const bg = await import(pathToFileURL(path.join(WASM_DIR, 'schema_engine_bg.js')).href)
  const { instance } = await WebAssembly.instantiate(
    fs.readFileSync(path.join(WASM_DIR, 'schema_engine_bg.wasm')), { './schema_engine_bg.js': bg })
  bg.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return bg
}
async function loadEngine(files, url, shadowUrl) {
  if (!/^postgres(ql)?:/.test(url)) {
    throw Object.assign(new Error('The provided database string is invalid. The scheme is not recognized in database URL.'), { code: 'P1013' })
  }
  const bg = await (bindings ??= loadBindings())
  const factory = new Factory(url, shadowUrl)
  const onLog = (m) => { process.stderr.write(String(m).replace(/\n?$/, '\n')) }
  const engine = await bg.SchemaEngine.new({ datamodels: files.length ? files : undefined }, onLog, bindMigrationAwareSqlAdapterFactory(factory))
  return { engine, factory }
}

const needsNoServer = (t) => t?.tag === 'empty' || t?.tag === 'schemaDatamodel'


function codeOf(e) { return e.code ?? CODES[seen.kind] }
function asRpcError(e) {
  const panic = e instanceof WebAssembly.RuntimeError
  return { code: 4466, message: 'An error happened. Check the data field for details.',
    data: { is_panic: panic, message: e.message.trimEnd(), meta: e.meta ?? null, ...(codeOf(e) ? { error_code: codeOf(e) } : {}) } }
}

async function rpc(opts, files) {
  const ds = opts.datasource ?? urlFromSchemas(files) ?? {}
  const send = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\n')
  const METHODS = { getDatabaseVersion: 'version' }
  const printed = new Map()
  const print = (content) => new Promise((done) => {      // answered by the CLI once it has written the text
    const id = printed.size + 1
    printed.set(id, done)
    send({ id, method: 'print', params: { content } })
    setTimeout(done, 2000).unref()
  })
  let loaded
  async function handle({ id, method, params }) {
    seen.script = seen.shadow = null
    try {
      if (method === 'createDatabase') return send({ id, result: { databaseName: await createDatabase(ds.url) } })
      if (method === 'diff') seen.offline = needsNoServer(params.from) && needsNoServer(params.to)
      const to = ds.url ? ds : urlFromParams(params) ?? {}
      loaded ??= loadEngine(files, to.url ?? 'postgresql://none@127.0.0.1:1/none', params?.shadowDatabaseUrl ?? to.shadowDatabaseUrl)
      const { engine } = await loaded
      if (method === 'evaluateDataLoss' || method === 'createMigration') {
        // The wasm build replays the history only from its cache in these two calls; this one fills it.
        await engine.diagnoseMigrationHistory({
          migrationsList: params.migrationsList, filters: params.filters, optInToShadowDatabase: true })
      }
      const result = await engine[METHODS[method] ?? method](params)
      if (method === 'diff' && result.stdout != null) {
        await print(result.stdout.replace(/\n$/, ''))
        delete result.stdout
      }
      send({ id, result: result ?? null })
    } catch (e) {
      send({ id, error: asShadowFailure() ?? ((method === 'applyMigrations' && asMigrationFailure(params.migrationsList)) || asRpcError(e)) })
    }
  }
  const pending = new Set()
  const rl = readline.createInterface({ input: process.stdin, crlfDelay: Infinity })
  rl.on('line', (line) => {
    if (!line.trim()) return
    const msg = JSON.parse(line)
    if (!msg.method) return printed.get(msg.id)?.()       // reply to our own print request
    const p = handle(msg); pending.add(p); p.finally(() => pending.delete(p))
  })
  rl.on('close', async () => {
    await Promise.all(pending)
    if (loaded) await loaded.then(({ factory }) => factory.closeAll(), () => {})
    process.exit(0)
  })
}

// ---------------------------------------------------------------- cli sub-commands
async function createDatabase(url) {
  const { cfg, schema } = poolConfig(url)
  const c = new pg.Client({ ...cfg, database: cfg.database === 'postgres' ? 'template1' : 'postgres', options: undefined })
  await c.connect()
  try { await c.query(`CREATE DATABASE "${cfg.database.replaceAll('"', '""')}"`) } finally { await c.end() }
  const n = new pg.Client({ ...cfg, options: undefined })
  await n.connect()
  try { await n.query(`CREATE SCHEMA IF NOT EXISTS "${schema.replaceAll('"', '""')}"`) } finally { await n.end() }
  return cfg.database
}

async function cli(opts) {
  log('INFO', 'Starting schema engine CLI', { git_hash: HASH })
  try {
    if (opts.cli === 'create-database') {
      process.stdout.write(`Database '${await createDatabase(opts.datasource.url)}' was successfully created.\n`)
    } else if (opts.cli === 'can-connect-to-database') {
      const { engine, factory } = await loadEngine([], opts.datasource.url)
      try { await engine.ensureConnectionValidity({ datasource: { tag: 'ConnectionString', url: opts.datasource.url } }) }
      finally { await factory.closeAll() }
      process.stdout.write('Connection successful\n')
    } else throw new Error(`unsupported cli command ${opts.cli}`)
    process.exit(0)
  } catch (e) {
    log('ERROR', e.message.trimEnd(), { is_panic: false, ...(codeOf(e) ? { error_code: codeOf(e) } : {}) })
    process.exitCode = 1
    setImmediate(() => process.exit(1))
  }
}

const opts = parseArgs(process.argv.slice(2))
pickEngine(prismaMajor(opts))
if (opts.version) console.log(`schema-engine-cli ${HASH}`)
else if (opts.cli) cli(opts)
else rpc(opts, opts.datamodels.map((p) => [p, fs.readFileSync(p, 'utf8')]))
