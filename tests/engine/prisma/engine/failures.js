'use strict'
// Two errors in the words of Prisma's own executable: the WebAssembly build hands the driver's error through.
const { seen } = require('./database.js')

// P3018 as the native engine words it (the wasm build passes the driver's error through instead).
function asMigrationFailure(list) {
  if (!seen.script) return null
  const { script, e } = seen.script
  const dir = list.migrationDirectories.find((d) => d.migrationFile.content.value === script)
  if (!dir) return null
  const q = (v) => (v == null ? 'None' : `Some(${JSON.stringify(v)})`)
  const cap = (v) => v[0] + v.slice(1).toLowerCase()
  let position = ''
  if (e.position) {
    const lines = script.split(/\r?\n/)
    let seen = 0
    for (let i = 0; i < lines.length; i++) {
      seen += Buffer.byteLength(lines[i]) + 1
      if (Number(e.position) > seen) continue
      const before = []
      for (let k = Math.max(0, i - 5); k < i; k++) before.push(`\x1b[1m${String(k + 1).padStart(3)}\x1b[0m${lines[k] ? ' ' : ''}${lines[k]}`)
      if (i < 5) before.unshift('\x1b[1m  0\x1b[0m')
      position = `\n\nPosition:\n${before.join('\n')}\n\x1b[1m${String(i + 1).padStart(3)}\x1b[1;31m ${lines[i]}\x1b[0m`
      break
    }
  }
  const display = `${e.severity}: ${e.message}${e.detail ? `\nDETAIL: ${e.detail}` : ''}${e.hint ? `\nHINT: ${e.hint}` : ''}`
  const debug = `DbError { severity: ${JSON.stringify(e.severity)}, parsed_severity: Some(${cap(e.severity)}), code: SqlState(E${e.code}), ` +
    `message: ${JSON.stringify(e.message)}, detail: ${q(e.detail)}, hint: ${q(e.hint)}, ` +
    `position: ${e.position ? `Some(Original(${e.position}))` : 'None'}, where_: ${q(e.where)}, schema: ${q(e.schema)}, table: ${q(e.table)}, ` +
    `column: ${q(e.column)}, datatype: ${q(e.dataType)}, constraint: ${q(e.constraint)}, file: ${q(e.file)}, line: ${e.line ? `Some(${e.line})` : 'None'}, routine: ${q(e.routine)} }`
  const meta = { migration_name: dir.path, database_error_code: e.code, database_error: `${display}${position}\n\n${debug}` }
  return { code: 4466, message: 'An error happened. Check the data field for details.', data: { is_panic: false, error_code: 'P3018', meta,
    message: 'A migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n\n' +
      `Migration name: ${meta.migration_name}\n\nDatabase error code: ${meta.database_error_code}\n\nDatabase error:\n${meta.database_error}\n` } }
}

// P3014 as the native engine words it.
function asShadowFailure() {
  if (!seen.shadow) return null
  const inner = seen.shadow.severity ? `${seen.shadow.severity}: ${seen.shadow.message}` : seen.shadow.message
  return { code: 4466, message: 'An error happened. Check the data field for details.', data: { is_panic: false, error_code: 'P3014', meta: { inner_error: inner },
    message: 'Prisma Migrate could not create the shadow database. Please make sure the database user has permission to create databases. ' +
      `Read more about the shadow database (and workarounds) at https://pris.ly/d/migrate-shadow\n\nOriginal error: ${inner}` } }
}

module.exports = { asMigrationFailure, asShadowFailure }
