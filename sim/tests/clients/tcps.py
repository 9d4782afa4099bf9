"""python-oracledb in thin mode logs in to the program itself, over TLS."""

import os
import ssl

import oracledb

DSN = f"tcps://localhost:{os.environ['RAC_SIM_PORT']}/RACDB"
context = ssl.create_default_context(cafile=os.environ["RAC_SIM_CERTIFICATE"])
with oracledb.connect(user="orawarden", password="orawarden", dsn=DSN, ssl_context=context) as connection:
    with connection.cursor() as cursor:
        cursor.execute("select user, :1 from dual", ["x"])
        assert cursor.fetchone() == ("ORAWARDEN", "x")
try:
    oracledb.connect(user="orawarden", password="orawarden", dsn=DSN)
except oracledb.Error as error:
    assert "DPY-6005" in str(error), error
else:
    raise AssertionError("a certificate that nobody trusts was taken")
print("all checks passed")
