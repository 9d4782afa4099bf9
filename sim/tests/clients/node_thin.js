// node-oracledb in thin mode, through all that the wire has to do for it.
'use strict';

const assert = require('node:assert');
const oracledb = require('oracledb');

const port = process.env.RAC_SIM_PORT;
const release = process.env.RAC_SIM_RELEASE;
const account = { user: 'scott', password: 'Tiger-\u00e99', connectString: `127.0.0.1:${port}/sales` };
const newYear = Date.UTC(2026, 0, 1);
// DATE has no zone, and the driver gives it in the local one.
process.env.TZ = 'UTC';

const connect = (more = {}) => oracledb.getConnection({ ...account, ...more });

async function withConnection(action, more) {
  const connection = await connect(more);
  try {
    return await action(connection);
  } finally {
    await connection.close();
  }
}

async function fails(action, ...codes) {
  let message = '';
  try {
    await action();
  } catch (error) {
    message = String(error.message) + String(error.cause ?? '');
  }
  assert.ok(codes.some((code) => message.includes(code)), `one of ${codes} was due: ${message}`);
}

const one = async (connection, sql, binds = []) => (await connection.execute(sql, binds)).rows[0];

function compare(rows, count) {
  assert.strictEqual(rows.length, count);
  rows.forEach((row, index) => {
    const n = index + 1;
    const [id, name, born, seen, amount, code, note] = row;
    assert.deepStrictEqual(
      [id, name, born.getTime(), seen.getTime(), amount, code, note],
      [n, `name ${n}`, newYear + n * 1000, newYear + n * 1000 + Math.floor(n / 1000), n / 100, `C${n % 10}  `,
        n % 2 === 0 ? 'even' : null],
    );
  });
}

const checks = {
  async attributes() {
    await withConnection(async (connection) => {
      const expected = { R12_1: '12.1.0.2.0', R12_2: '12.2.0.1.0', R19: '19.28.0.0.0', R23: '23.26.0.0.0' };
      assert.strictEqual(connection.oracleServerVersionString, expected[release]);
      assert.strictEqual(connection.instanceName, 'SALES1');
      await connection.ping();
    });
  },

  async wrongPassword() {
    await fails(() => connect({ password: 'tiger' }), 'ORA-01017');
    await fails(() => connect({ user: 'nobody' }), 'ORA-01017');
  },

  async unknownService() {
    await fails(() => connect({ connectString: `127.0.0.1:${port}/nowhere` }), 'NJS-518');
  },

  async locked() {
    await fails(() => connect({ user: 'locked' }), 'ORA-28000');
  },

  async passwords() {
    await fails(() => connect({ user: 'expired' }), 'ORA-28001');
    await fails(() => connect({ user: 'expired', password: 'wrong', newPassword: 'Lion 1' }), 'ORA-01017');
    await (await connect({ user: 'expired', newPassword: 'Lion 1' })).close();
    const connection = await connect({ user: 'expired', password: 'Lion 1' });
    await fails(() => connection.changePassword('expired', 'wrong', 'Bear 2'), 'ORA-01017');
    await connection.changePassword('expired', 'Lion 1', 'Bear 2');
    assert.deepStrictEqual(await one(connection, 'select 1 from dual'), [1]);
    await connection.close();
    await fails(() => connect({ user: 'expired', password: 'Lion 1' }), 'ORA-01017');
    await (await connect({ user: 'expired', password: 'Bear 2' })).close();
    await (await connect({ user: 'grace' })).close();
  },

  async sysdba() {
    await withConnection(async (connection) => {
      assert.ok((await one(connection, 'select * from v$session')).includes('YES'));
    }, { user: 'sys', privilege: oracledb.SYSDBA });
  },

  async identity() {
    Object.assign(oracledb, { program: 'app', machine: 'box', osUser: 'me', terminal: 'tty7', driverName: 'thin : 1' });
    await withConnection(async (connection) => {
      const row = await one(connection, 'select * from v$session');
      assert.deepStrictEqual(row.slice(2, 7), ['SCOTT', 'app', 'box', 'me', 'tty7']);
      assert.ok(row[7].startsWith('thin : 1'), row[7]);
      assert.strictEqual(row[12], 'SALES');
    });
  },

  async rows() {
    await withConnection(async (connection) => {
      for (const count of [0, 1, 2, 3, 5, 100, 102, 25000]) {
        compare((await connection.execute(`select * from t where rownum <= ${count}`)).rows, count);
      }
    });
  },

  async rowsInLargeArrays() {
    await withConnection(async (connection) => {
      const sizes = { fetchArraySize: 1000, prefetchRows: 1000 };
      compare((await connection.execute('select * from t where rownum <= 25000', [], sizes)).rows, 25000);
    });
  },

  async withoutPrefetch() {
    await withConnection(async (connection) => {
      for (const count of [0, 250]) {
        const sql = `select * from t where rownum <= ${count}`;
        compare((await connection.execute(sql, [], { prefetchRows: 0 })).rows, count);
      }
    });
  },

  async resultSet() {
    await withConnection(async (connection) => {
      const { resultSet } = await connection.execute('select * from t where rownum <= 500', [], { resultSet: true });
      compare(await resultSet.getRows(500), 500);
      await resultSet.close();
    });
  },

  async resultSetsThatAreClosedTooSoon() {
    await withConnection(async (connection) => {
      const sql = 'select * from t where rownum <= 500';
      for (let round = 0; round < 3; round += 1) {
        const { resultSet } = await connection.execute(sql, [], { resultSet: true, fetchArraySize: 10 });
        compare(await resultSet.getRows(10), 10);
        await resultSet.close();
        assert.deepStrictEqual((await connection.execute('select 1 from dual')).rows, [[1]]);
        compare((await connection.execute(sql)).rows, 500);
      }
    });
  },

  async types() {
    await withConnection(async (connection) => {
      const [first, second, nulls] = (await connection.execute('select * from types')).rows;
      assert.strictEqual(first[0], -12345.678);
      assert.strictEqual(first[1], '\u00e9'.repeat(1900));
      assert.strictEqual(first[2], 'ab ');
      assert.strictEqual(first[3].getTime(), -1000);
      assert.strictEqual(first[4].getTime(), newYear + 123);
      assert.strictEqual(first[5].getTime(), newYear);
      assert.deepStrictEqual([...first[6]], [0, 1, 255]);
      assert.deepStrictEqual([first[7].hours, first[7].minutes], [1, 30]);
      assert.deepStrictEqual([second[8].years, second[8].months], [-1, -2]);
      assert.strictEqual(first[9], 'AAAR3sAAEAAAACXAAA');
      assert.strictEqual(first[10], -1.5);
      assert.strictEqual(first[11], 'long '.repeat(2400));
      assert.deepStrictEqual([second[0], second[9], second[10]], [0.000123, 'AAAR3sAAEAAAACXAAB', 0.1]);
      assert.ok(nulls.every((value) => value === null), nulls);
    });
  },

  async echo() {
    await withConnection(async (connection) => {
      const at = new Date(Date.UTC(2024, 1, 29, 23, 59, 58, 7));
      for (const [text, number] of [['first \u20ac', -17.25], ['x'.repeat(3800), 1e10]]) {
        const binds = [text, number, null, at, Buffer.from('raw')];
        assert.deepStrictEqual(await one(connection, 'select :1, :2, :3, :4, :5 from dual', binds), binds);
      }
    });
  },

  async longStatement() {
    await withConnection(async (connection) => {
      for (const length of [8182, 40000]) {
        const sql = `select length('${'x'.repeat(length - 27)}') from dual`;
        assert.deepStrictEqual(await one(connection, sql), [sql.length]);
      }
    });
  },

  async blocks() {
    await withConnection(async (connection) => {
      await connection.execute('begin null; end;');
      for (let round = 0; round < 3; round++) {
        const { outBinds } = await connection.execute('begin p(:in1, :outn, :outs, :outx, :both); end;', {
          in1: 5,
          outn: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER },
          outs: { dir: oracledb.BIND_OUT, type: oracledb.STRING },
          outx: { dir: oracledb.BIND_OUT, type: oracledb.STRING },
          both: { dir: oracledb.BIND_INOUT, type: oracledb.NUMBER, val: 9 },
        });
        assert.deepEqual({ ...outBinds }, { outn: 42, outs: 'forty-two \u00e9', outx: null, both: 10 });
      }
      await fails(() => connection.execute('begin raise; end;'), 'ORA-20001');
    });
  },

  async changes() {
    await withConnection(async (connection) => {
      assert.strictEqual((await connection.execute('insert into a values (:1, :2)', [1, 'x'])).rowsAffected, 1);
      const many = await connection.executeMany('insert into a values (:1, :2)', [[1, 'a'], [2, 'bb'], [3, 'c']]);
      assert.strictEqual(many.rowsAffected, 3);
      const { lastRowid } = await connection.execute('insert into a values (:1, :2)', [1, 'x']);
      assert.strictEqual(lastRowid, 'AAAR3sAAEAAAACXAAB');
      assert.strictEqual(connection.transactionInProgress, true);
      await connection.commit();
      assert.strictEqual(connection.transactionInProgress, false);
      await connection.execute('delete from a');
      await connection.rollback();
    });
  },

  async cursorsOfBlocks() {
    await withConnection(async (connection) => {
      for (let round = 0; round < 3; round++) {
        const binds = {
          cur1: { dir: oracledb.BIND_OUT, type: oracledb.CURSOR },
          outn: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER },
        };
        const { outBinds } = await connection.execute('begin open :cur1 for x; p(:outn); end;', binds);
        assert.strictEqual(outBinds.outn, 42);
        compare(await outBinds.cur1.getRows(), 250);
        await outBinds.cur1.close();
      }
    });
  },

  async arraysOfChanges() {
    await withConnection(async (connection) => {
      const sql = 'update a set b = b where c < :1 and d = :2';
      const rows = [[1, 'bad'], [2, 'y'], [3, 'bad'], [5, 'w']];
      for (let round = 0; round < 2; round++) {
        const counted = await connection.executeMany(sql, [[3, 'x'], [0, 'y'], [300, 'z']], { dmlRowCounts: true });
        assert.deepStrictEqual(counted.dmlRowCounts, [3, 0, 300]);
        await fails(() => connection.executeMany(sql, rows), 'ORA-12899');
        const { batchErrors, dmlRowCounts, rowsAffected } =
          await connection.executeMany(sql, rows, { batchErrors: true, dmlRowCounts: true });
        assert.deepStrictEqual(batchErrors.map((one) => one.offset), [0, 2]);
        assert.match(batchErrors[1].message, /ORA-12899: value too large for column/);
        assert.deepStrictEqual(dmlRowCounts, [0, 2, 0, 5]);
        assert.strictEqual(rowsAffected, 7);
        assert.strictEqual((await connection.executeMany(sql, rows.slice(1, 2))).rowsAffected, 2);
      }
    });
  },

  async arrays() {
    await withConnection(async (connection) => {
      const array = { dir: oracledb.BIND_INOUT, type: oracledb.STRING, maxArraySize: 4 };
      const out = { dir: oracledb.BIND_OUT, type: oracledb.NUMBER, maxArraySize: 4 };
      for (const length of [1, 1, 500]) {
        const given = { type: oracledb.NUMBER, dir: oracledb.BIND_IN, val: [1, 2] };
        const texts = { ...array, val: ['a'.repeat(length), '\u00e9'] };
        const { outBinds } = await connection.execute('begin p(:in1, :arr1, :arr2); end;', [given, texts, out]);
        assert.deepStrictEqual(outBinds, [['\u00e9', 'a'.repeat(length), null], [null]]);
      }
    });
  },

  async returning() {
    await withConnection(async (connection) => {
      for (let round = 0; round < 2; round++) {
        const binds = ['in', { dir: oracledb.BIND_OUT, type: oracledb.STRING }];
        const { outBinds } = await connection.execute('update a set b = :1 returning c into :2', binds);
        assert.deepStrictEqual(outBinds, [['in', '7']]);
      }
    });
  },

  async errors() {
    await withConnection(async (connection) => {
      for (let round = 0; round < 20; round++) {
        await fails(() => connection.execute('select * from missing'), 'ORA-00942');
      }
      await fails(() => connection.execute('nonsense'), 'ORA-00900');
      const { metaData } = await connection.getStatementInfo('select * from t where rownum <= 1');
      assert.strictEqual(metaData[1].name, 'NAME');
      assert.deepStrictEqual(await one(connection, 'select 1 from dual'), [1]);
    });
  },

  async alter() {
    await withConnection(async (connection) => {
      const kill = (sid, serial, how = '') =>
        connection.execute(`alter system kill session '${sid},${serial},@1'${how}`);
      const [self] = await one(connection, 'select * from v$session');
      await connection.execute("alter session set nls_date_format = 'YYYY'");
      await fails(() => kill(self, 8), 'ORA-00027');
      await fails(() => kill(9999, 8), 'ORA-00030');
      const victim = await connect();
      const [sid, serial] = await one(victim, 'select * from v$session');
      await kill(sid, serial);
      await fails(() => victim.ping(), 'ORA-00028');
      const cut = await connect();
      const [cutSid, cutSerial] = await one(cut, 'select * from v$session');
      await kill(cutSid, cutSerial, ' immediate');
      await fails(() => cut.ping(), 'NJS-500', 'NJS-521', 'NJS-003');
      const busy = await connect();
      const [busySid, busySerial] = await one(busy, 'select * from v$session');
      const waiting = fails(() => busy.execute('begin sleep; end;'), 'ORA-00028');
      await kill(busySid, busySerial);
      await waiting;
    });
  },

  async tags() {
    await withConnection(async (connection) => {
      Object.assign(connection, { module: 'billing', action: 'post', clientInfo: 'info', clientId: 'id' });
      const row = await one(connection, 'select * from v$session');
      assert.deepStrictEqual(row.slice(8, 12), ['billing', 'post', 'info', 'id']);
      Object.assign(connection, { ecid: 'journey', dbOp: 'nightly' });
      assert.deepStrictEqual((await one(connection, 'select * from v$session')).slice(16), ['journey', 'nightly']);
    });
  },

  async timeout() {
    await withConnection(async (connection) => {
      for (let round = 0; round < 3; round++) {
        connection.callTimeout = 200;
        await fails(() => connection.execute('begin sleep; end;'), 'NJS-123');
        connection.callTimeout = 0;
        assert.deepStrictEqual(await one(connection, 'select 1 from dual'), [1]);
      }
    });
  },

  async cancel() {
    await withConnection(async (connection) => {
      for (let round = 0; round < 3; round++) {
        const waiting = fails(() => connection.execute('begin sleep; end;'), 'ORA-01013');
        await new Promise((resolve) => setTimeout(resolve, 200));
        await connection.break();
        await waiting;
        assert.deepStrictEqual(await one(connection, 'select 1 from dual'), [1]);
      }
    });
  },

  async statementCache() {
    await withConnection(async (connection) => {
      for (let round = 0; round < 10; round++) {
        for (let kind = 0; kind < 40; kind++) {
          assert.deepStrictEqual(await one(connection, `select :1 from dual${kind}`, [round]), [round]);
        }
      }
    });
  },

  async pooled() {
    const pool = await oracledb.createPool({ ...account, poolMin: 1, poolMax: 4 });
    const asks = Array.from({ length: 20 }, async () => {
      const connection = await pool.getConnection();
      try {
        return await one(connection, 'select 1 from dual');
      } finally {
        await connection.close();
      }
    });
    assert.deepStrictEqual(await Promise.all(asks), Array.from({ length: 20 }, () => [1]));
    await pool.close(0);
  },
};

async function overTls() {
  await withConnection(async (connection) => {
    compare((await connection.execute('select * from t where rownum <= 5000')).rows, 5000);
  }, { connectString: `tcps://localhost:${port}/sales` });
  console.log('all checks passed');
}

async function main() {
  if (process.env.RAC_SIM_TRUSTED) {
    await overTls();
    process.exit(0);
  }
  let failures = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAILED ${name}: ${error.stack}`);
    }
  }
  console.log(failures === 0 ? 'all checks passed' : `${failures} checks failed`);
  process.exit(Math.min(failures, 1));
}

main();
