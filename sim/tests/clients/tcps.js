// node-oracledb in thin mode logs in to the program itself, over TLS; NODE_EXTRA_CA_CERTS has the certificate.
'use strict';

const assert = require('node:assert');
const oracledb = require('oracledb');

async function main() {
  const connectString = `tcps://localhost:${process.env.RAC_SIM_PORT}/RACDB`;
  const connection = await oracledb.getConnection({ user: 'orawarden', password: 'orawarden', connectString });
  const { rows } = await connection.execute('select count(*) from gv$session where username = :1', ['ORAWARDEN']);
  assert.deepStrictEqual(rows, [[1]]);
  await connection.close();
  console.log('all checks passed');
}

main().catch((error) => {
  console.log(error.stack);
  process.exit(1);
});
