// node-oracledb in thin mode logs in to the program itself, over TLS; NODE_EXTRA_CA_CERTS has the certificate.
'use strict';

const assert = require('node:assert');
const oracledb = require('oracledb');

async function main() {
  const connectString = `tcps://localhost:${process.env.RAC_SIM_PORT}/RACDB`;
  const connection = await oracledb.getConnection({ user: 'orawarden', password: 'orawarden', connectString });
  const { rows } = await connection.execute('select user, :1 from dual', ['x']);
  assert.deepStrictEqual(rows, [['ORAWARDEN', 'x']]);
  await connection.close();
  console.log('all checks passed');
}

main().catch((error) => {
  console.log(error.stack);
  process.exit(1);
});
