"""python-oracledb in thin mode, through all that the wire has to do for it: plain, asyncio and pooled."""

import asyncio
import datetime
import decimal
import os
import ssl
import threading

import oracledb

PORT = int(os.environ["RAC_SIM_PORT"])
RELEASE = os.environ["RAC_SIM_RELEASE"]
USER = "scott"
PASSWORD = "Tiger-\u00e99"
DSN = f"127.0.0.1:{PORT}/sales"
NEW_YEAR = datetime.datetime(2026, 1, 1)


def connect(**more):
    return oracledb.connect(**{"user": USER, "password": PASSWORD, "dsn": DSN, **more})


def fails(action, *codes):
    try:
        action()
    except oracledb.Error as error:
        text = str(error)
        assert any(code in text for code in codes), text
    else:
        raise AssertionError(f"no error, but one of {codes} was due")


def one(connection, sql, *binds):
    with connection.cursor() as cursor:
        return cursor.execute(sql, binds).fetchone()


def attributes():
    with connect() as connection:
        assert connection.instance_name == "SALES1", connection.instance_name
        assert connection.service_name == "sales", connection.service_name
        expected = {"R12_1": "12.1.0.2.0", "R12_2": "12.2.0.1.0", "R19": "19.28.0.0.0", "R23": "23.26.0.0.0"}
        assert connection.version == expected[RELEASE], connection.version
        assert connection.session_id > 0 and connection.serial_num > 0
        connection.ping()


def wrong_password():
    fails(lambda: connect(password="tiger"), "ORA-01017")
    fails(lambda: connect(user="nobody"), "ORA-01017")


def another_session_than_ones_own():
    fails(lambda: connect(user=f"{USER}[system]"), "ORA-28150")
    fails(lambda: connect(edition="NEXT"), "ORA-38802")
    connect(edition="ORA$BASE").close()
    fails(lambda: connect(appcontext=[("PAYROLL", "a", "1")]), "ORA-28267")
    connect(appcontext=[("CLIENTCONTEXT", "a", "1"), ("CLIENTCONTEXT", "b", "2")]).close()


def unknown_service():
    fails(lambda: connect(dsn=f"127.0.0.1:{PORT}/nowhere"), "DPY-6001")
    sid = f"(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={PORT}))(CONNECT_DATA=(SID=%s)))"
    fails(lambda: connect(dsn=sid % "nowhere"), "DPY-6003")
    connect(dsn=sid % "sales1").close()
    fails(lambda: connect(dsn=(sid % "").replace("(SID=)", "(SERVER=DEDICATED)")), "ORA-12504")


def locked():
    fails(lambda: connect(user="locked"), "ORA-28000")


def passwords():
    fails(lambda: connect(user="expired"), "ORA-28001")
    fails(lambda: connect(user="expired", password="wrong", newpassword="Lion 1"), "ORA-01017")
    fails(lambda: connect(user="expired"), "ORA-28001")
    connect(user="expired", newpassword="Lion 1").close()
    fails(lambda: connect(user="expired"), "ORA-01017")
    with connect(user="expired", password="Lion 1") as connection:
        fails(lambda: connection.changepassword("wrong", "Bear \u00e9 2"), "ORA-01017")
        connection.changepassword("Lion 1", "Bear \u00e9 2")
        assert one(connection, "select 1 from dual") == (1,)
    fails(lambda: connect(user="expired", password="Lion 1"), "ORA-01017")
    with connect(user="expired", password="Bear \u00e9 2") as connection:
        assert connection.warning is None
    with connect(user="grace") as connection:
        assert connection.warning.full_code == "ORA-28002", connection.warning
        assert one(connection, "select 1 from dual") == (1,)


def sysdba():
    with connect(user="sys", mode=oracledb.AUTH_MODE_SYSDBA) as connection:
        assert "YES" in one(connection, "select * from v$session")


def identity():
    with connect(program="app", machine="box", osuser="me", terminal="tty7", driver_name="thin : 1") as connection:
        row = one(connection, "select * from v$session")
        assert row[2:8] == ("SCOTT", "app", "box", "me", "tty7", "thin : 1"), row
        assert row[12] == "SALES", row


def compare(rows, count):
    seen = 0
    for row in rows:
        seen += 1
        at = NEW_YEAR + datetime.timedelta(seconds=seen)
        note = "even" if seen % 2 == 0 else None
        micro = at.replace(microsecond=seen)
        assert row == (seen, f"name {seen}", at, micro, seen / 100, f"C{seen % 10}  ", note), row
    assert seen == count, (seen, count)


def rows():
    with connect() as connection, connection.cursor() as cursor:
        for count in (0, 1, 2, 3, 5, 100, 102, 25_000):
            compare(cursor.execute(f"select * from t where rownum <= {count}"), count)


def rows_in_large_arrays():
    with connect() as connection, connection.cursor() as cursor:
        cursor.arraysize = cursor.prefetchrows = 1_000
        compare(cursor.execute("select * from t where rownum <= 25000"), 25_000)


def without_prefetch():
    with connect() as connection, connection.cursor() as cursor:
        cursor.prefetchrows = 0
        for count in (0, 250):
            compare(cursor.execute(f"select * from t where rownum <= {count}"), count)


def types():
    with connect() as connection, connection.cursor() as cursor:
        first, second, nulls = cursor.execute("select * from types").fetchall()
        expected = (
            -12345.678,
            "\u00e9" * 1_900,
            "ab ",
            datetime.datetime(1969, 12, 31, 23, 59, 59),
            datetime.datetime(2026, 1, 1, 0, 0, 0, 123_456),
            datetime.datetime(2026, 1, 1, 2, 0, 0, 5),
            bytes([0, 1, 255]),
            datetime.timedelta(minutes=90),
            oracledb.IntervalYM(1, 2),
            "AAAR3sAAEAAAACXAAA",
            -1.5,
            "long " * 2_400,
        )
        for got, want in zip(first, expected):
            # The driver has no zones: it gives what the clock shows, or UTC.
            if want == expected[5]:
                assert got.replace(hour=0) == want.replace(hour=0), got
            else:
                assert got == want, (got, want)
        assert second[0] == 0.000123 and second[9] == "AAAR3sAAEAAAACXAAB" and second[10] == 0.1, second
        assert second[7] == datetime.timedelta(minutes=-1) and second[8] == oracledb.IntervalYM(-1, -2), second
        assert nulls == (None,) * 12, nulls
        assert cursor.description[0].type_code is oracledb.DB_TYPE_NUMBER


def echo():
    with connect() as connection, connection.cursor() as cursor:
        at = datetime.datetime(2024, 2, 29, 23, 59, 58, 7)
        for text, number in (("first \u20ac", -17.25), ("x" * 3_800, 10_000_000_000)):
            cursor.setinputsizes(None, None, None, oracledb.DB_TYPE_TIMESTAMP, None)
            row = cursor.execute("select :1, :2, :3, :4, :5 from dual", [text, number, None, at, b"raw"]).fetchone()
            assert row == (text, number, None, at, b"raw"), row


def long_statement():
    with connect() as connection:
        for length in (8_182, 40_000):
            sql = f"select length('{'x' * (length - 27)}') from dual"
            assert one(connection, sql) == (len(sql),)


def blocks():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("begin null; end;")
        number, text, nothing = cursor.var(int), cursor.var(str), cursor.var(str)
        both = cursor.var(int)
        for _ in range(3):
            both.setvalue(0, 9)
            cursor.execute("begin p(:in1, :outn, :outs, :outx, :both); end;", [5, number, text, nothing, both])
            values = [variable.getvalue() for variable in (number, text, nothing, both)]
            assert values == [42, "forty-two \u00e9", None, 10], values
        fails(lambda: cursor.execute("begin raise; end;"), "ORA-20001")


def types_of_plsql():
    with connect() as connection, connection.cursor() as cursor:
        truth, integer = cursor.var(bool), cursor.var(oracledb.DB_TYPE_BINARY_INTEGER)
        outn, outx = cursor.var(bool), cursor.var(bool)
        for _ in range(2):
            truth.setvalue(0, False)
            integer.setvalue(0, 9)
            cursor.execute("begin p(:in1, :both1, :both2, :outn, :outx); end;", [True, truth, integer, outn, outx])
            values = [variable.getvalue() for variable in (truth, integer, outn, outx)]
            assert values == [True, 10, True, None], values


def cursors_of_blocks():
    with connect() as connection, connection.cursor() as cursor:
        for _ in range(3):
            number, rows, others = cursor.var(int), cursor.var(oracledb.DB_TYPE_CURSOR), connection.cursor()
            cursor.execute("begin open :cur1 for x; p(:outn); open :cur2 for x; end;", [rows, number, others])
            assert number.getvalue() == 42
            compare(rows.getvalue(), 250)
            assert others.fetchone()[0] == 1
            compare(cursor.execute("select * from t where rownum <= 5"), 5)
            assert [row[0] for row in others.fetchmany(3)] == [2, 3, 4]
            others.close()
        # The same variable again and again: what it held is closed.
        for _ in range(1_100):
            cursor.execute("begin open :cur1 for x; end;", [rows])
        compare(rows.getvalue(), 250)


def refused_binds():
    with connect() as connection, connection.cursor() as cursor:
        value = connection.cursor().var(oracledb.DB_TYPE_JSON)
        fails(lambda: cursor.execute("begin p(:in1, :in2); end;", [value, 5]), "ORA-03115")
        assert one(connection, "select 1 from dual") == (1,)
        tiny = decimal.Decimal("1e-130")
        for number in (10**40, -(10**125), tiny):
            assert one(connection, "select :1 from dual", number) == (number if number != tiny else float(tiny),)
        fails(lambda: cursor.execute("select huge from dual"), "ORA-01426")
        assert one(connection, "select 1 from dual") == (1,)


def changes():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("insert into a values (:1, :2)", [1, "x"])
        assert cursor.rowcount == 1 and connection.transaction_in_progress
        assert cursor.lastrowid == "AAAR3sAAEAAAACXAAB", cursor.lastrowid
        cursor.executemany("insert into a values (:1, :2)", [(1, "a"), (2, "bb"), (3, None)])
        assert cursor.rowcount == 3
        cursor.executemany("insert into a values (9)", 4)
        assert cursor.rowcount == 4
        connection.commit()
        assert not connection.transaction_in_progress
        cursor.execute("delete from a")
        connection.rollback()
        connection.autocommit = True
        for number in range(3):
            cursor.execute("insert into a values (:1, :2)", [number, "x"])
        assert not connection.transaction_in_progress


def arrays_of_changes():
    with connect() as connection, connection.cursor() as cursor:
        sql = "update a set b = b where c < :1 and d = :2"
        good, mixed = [(3, "x"), (0, "y"), (300, "z")], [(1, "bad"), (2, "y"), (3, "bad"), (5, "w")]
        for _ in range(2):
            cursor.executemany(sql, good, arraydmlrowcounts=True)
            assert cursor.getarraydmlrowcounts() == [3, 0, 300] and cursor.rowcount == 303
            fails(lambda: cursor.executemany(sql, mixed), "ORA-12899")
            cursor.executemany(sql, mixed, batcherrors=True)
            found = [(one.offset, one.code, one.message) for one in cursor.getbatcherrors()]
            text = "ORA-12899: value too large for column"
            assert [one[:2] for one in found] == [(0, 12899), (2, 12899)] and text in found[1][2], found
            assert cursor.rowcount == 7
            cursor.executemany(sql, mixed, batcherrors=True, arraydmlrowcounts=True)
            assert len(cursor.getbatcherrors()) == 2
            assert cursor.getarraydmlrowcounts() == [0, 2, 0, 5]
            cursor.executemany(sql, good)
            assert cursor.rowcount == 303
        cursor.execute(sql, good[0])
        assert cursor.rowcount == 3
        cursor.executemany(sql, [(1, "bad")] * 5_000, batcherrors=True)
        assert [one.offset for one in cursor.getbatcherrors()] == list(range(5_000))
        cursor.executemany(sql, [(1, "y")] * 160_000)
        assert cursor.rowcount == 160_000
        assert one(connection, "select 1 from dual") == (1,)


def arrays_of_blocks():
    with connect() as connection, connection.cursor() as cursor:
        out = cursor.var(int, arraysize=3)
        cursor.setinputsizes(None, out)
        data = [(number, number * 10) for number in (1, 2, 3)]
        both = cursor.var(int, arraysize=3)
        for place in range(3):
            both.setvalue(place, place)
        cursor.setinputsizes(out, both)
        cursor.executemany("begin p(:outn, :both); end;", 3)
        assert out.values[:3] == [42, 42, 42] and both.values[:3] == [1, 2, 3], (out.values, both.values)


def arrays():
    with connect() as connection, connection.cursor() as cursor:
        texts, numbers = cursor.arrayvar(str, 5), cursor.arrayvar(int, 2)
        nothing, days = cursor.arrayvar(str, 3), cursor.arrayvar(datetime.datetime, [NEW_YEAR])
        number = cursor.var(int)
        for length in (1, 1, 500):
            texts.setvalue(0, ["a" * length, "\u00e9", None])
            numbers.setvalue(0, [1, -20_000])
            nothing.setvalue(0, [])
            binds = [[7, 8], texts, numbers, nothing, days, number]
            cursor.execute("begin p(:in1, :arr1, :arr2, :arr3, :arr4, :outn); end;", binds)
            assert texts.getvalue() == [None, "\u00e9", "a" * length, None], texts.getvalue()
            assert numbers.getvalue() == [-20_000, 1], numbers.getvalue()
            assert nothing.getvalue() == [None] and days.getvalue() == [NEW_YEAR]
            assert number.getvalue() == 42
        cursor.execute("begin p(:in1); end;", [list(range(20_000))])
        assert one(connection, "select 1 from dual") == (1,)


def returning():
    with connect() as connection, connection.cursor() as cursor:
        given = cursor.var(str)
        for _ in range(2):
            cursor.execute("update a set b = :1 returning c into :2", ["in", given])
            assert given.getvalue() == ["in", "7"], given.getvalue()
        number = cursor.var(int)
        cursor.execute("delete from a returning c into :1", [number])
        assert len(number.getvalue()) == 2
        given = cursor.var(int, arraysize=3)
        cursor.setinputsizes(None, given)
        for _ in range(2):
            cursor.executemany("update a set b = :1 returning c into :2", [(1,), (2,), (3,)])
            assert [given.getvalue(place) for place in range(3)] == [[1, 7], [2, 7], [3, 7]]


def errors():
    with connect() as connection, connection.cursor() as cursor:
        for _ in range(20):
            fails(lambda: cursor.execute("select * from missing"), "ORA-00942")
        fails(lambda: cursor.execute("nonsense"), "ORA-00900")
        try:
            cursor.execute("select * from missing")
        except oracledb.DatabaseError as error:
            assert error.args[0].offset == 14, error.args[0].offset
        assert cursor.execute("select 1 from dual").fetchone() == (1,)
        cursor.parse("select * from t where rownum <= 1")
        assert cursor.description[1].name == "NAME"


def scrollable():
    with connect() as connection:
        with connection.cursor(scrollable=True) as cursor:
            fails(lambda: cursor.execute("select * from t where rownum <= 100"), "ORA-03001")
        assert one(connection, "select 1 from dual") == (1,)


def kill(by, victim, how=""):
    with by.cursor() as cursor:
        cursor.execute(f"alter system kill session '{victim.session_id},{victim.serial_num},@1'{how}")


def alter():
    with connect() as connection:
        one_self = lambda sid: connection.cursor().execute(f"alter system kill session '{sid},8'")
        connection.cursor().execute("alter session set nls_date_format = 'YYYY'")
        fails(lambda: one_self(connection.session_id), "ORA-00027")
        fails(lambda: one_self(9_999), "ORA-00030")
        victim = connect()
        kill(connection, victim)
        fails(victim.ping, "ORA-00028")
        fails(victim.ping, "DPY-1001", "DPY-4011")
        cut = connect()
        kill(connection, cut, " immediate")
        fails(cut.ping, "DPY-4011")


def tags():
    with connect() as connection:
        connection.module, connection.action = "billing", "post"
        connection.clientinfo, connection.client_identifier = "info", "id"
        connection.dbop = "nightly"
        row = one(connection, "select * from v$session")
        assert row[8:12] == ("billing", "post", "info", "id"), row
        assert row[17] == "nightly", row
        for empty in ("", None):
            connection.module = connection.action = connection.clientinfo = empty
            connection.client_identifier = connection.dbop = empty
            row = one(connection, "select * from v$session")
            assert row[8:12] == (None,) * 4, row


def schema():
    with connect() as connection:
        connection.current_schema = "shop"
        row = one(connection, "select * from v$session")
        assert row[15] == "SHOP", row
        connection.current_schema = "nowhere"
        fails(lambda: one(connection, "select 1 from dual"), "ORA-01435")
        # The driver sends it with each call until one succeeds.
        connection.current_schema = "shop"
        assert one(connection, "select 1 from dual") == (1,)


def timeout():
    with connect() as connection:
        for _ in range(3):
            connection.call_timeout = 200
            fails(lambda: connection.cursor().execute("begin sleep; end;"), "DPY-4024")
            connection.call_timeout = 0
            assert one(connection, "select 1 from dual") == (1,)


def cancel():
    with connect() as connection:
        for _ in range(3):
            timer = threading.Timer(0.2, connection.cancel)
            timer.start()
            fails(lambda: connection.cursor().execute("begin sleep; end;"), "ORA-01013")
            timer.join()
            assert one(connection, "select 1 from dual") == (1,)
        # One that comes too late must not hurt the calls after the next.
        connection.cancel()
        try:
            one(connection, "select 1 from dual")
        except oracledb.Error as error:
            assert "ORA-01013" in str(error), error
        assert one(connection, "select 1 from dual") == (1,)


def killed_while_busy():
    with connect() as killer:
        busy = connect()
        timer = threading.Timer(0.2, kill, (killer, busy))
        timer.start()
        fails(lambda: busy.cursor().execute("begin sleep; end;"), "ORA-00028")
        timer.join()


def statement_cache():
    with connect() as connection:
        for round_ in range(30):
            for kind in range(30):
                assert one(connection, f"select :1 from dual{kind}", round_) == (round_,)


def pooled():
    pool = oracledb.create_pool(user=USER, password=PASSWORD, dsn=DSN, min=2, max=5, increment=1)
    for _ in range(20):
        with pool.acquire() as connection:
            assert one(connection, "select 1 from dual") == (1,)
    held = [pool.acquire() for _ in range(5)]
    assert len({connection.session_id for connection in held}) == 5
    for connection in held:
        connection.close()
    with connect() as killer, pool.acquire() as victim:
        kill(killer, victim)
        fails(lambda: one(victim, "select 1 from dual"), "ORA-00028")
    with pool.acquire() as connection:
        assert one(connection, "select 1 from dual") == (1,)
    pool.close()


async def in_asyncio():
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=DSN) as connection:
        with connection.cursor() as cursor:
            await cursor.execute("select * from t where rownum <= 250")
            compare(await cursor.fetchall(), 250)
            connection.call_timeout = 200
            try:
                await cursor.execute("begin sleep; end;")
            except oracledb.Error as error:
                assert "DPY-4024" in str(error), error
            else:
                raise AssertionError("no timeout")
            connection.call_timeout = 0
            await cursor.execute("select 1 from dual")
            assert await cursor.fetchone() == (1,)
    pool = oracledb.create_pool_async(user=USER, password=PASSWORD, dsn=DSN, min=1, max=4)

    async def ask():
        async with pool.acquire() as connection:
            return await connection.fetchone("select 1 from dual")

    assert await asyncio.gather(*(ask() for _ in range(20))) == [(1,)] * 20
    await pool.close()


async def in_pipelines():
    async with oracledb.connect_async(user=USER, password=PASSWORD, dsn=DSN) as connection:
        for after_error in (True, False):
            for _ in range(2):
                pipeline = oracledb.create_pipeline()
                for number in range(4):
                    pipeline.add_fetchall("select * from t where rownum <= 250")
                    pipeline.add_fetchone("select :1, :2 from dual", [number, "x"])
                pipeline.add_executemany("insert into a values (:1, :2)", [(1, "a"), (2, "b")])
                pipeline.add_commit()
                pipeline.add_callproc("p", [1])
                pipeline.add_fetchmany("select * from t where rownum <= 250", num_rows=10)
                results = await connection.run_pipeline(pipeline, continue_on_error=after_error)
                assert len(results) == 12
                for number in range(4):
                    compare(results[2 * number].rows, 250)
                    assert results[2 * number + 1].rows == [(number, "x")], results[2 * number + 1].rows
                compare(results[11].rows, 10)
        pipeline = oracledb.create_pipeline()
        pipeline.add_fetchone("select 1 from dual")
        pipeline.add_execute("select * from missing")
        pipeline.add_execute("begin null; end;")
        pipeline.add_execute("begin p(:in1); end;", [connection.cursor().var(oracledb.DB_TYPE_JSON)])
        pipeline.add_execute("insert into a values (1)")
        pipeline.add_fetchone("select 1 from dual")
        results = await connection.run_pipeline(pipeline, continue_on_error=True)
        codes = [result.error.full_code if result.error else None for result in results]
        assert codes == [None, "ORA-00942", None, "ORA-03115", None, None], codes
        assert results[5].rows == [(1,)]
        assert connection.transaction_in_progress
        await connection.commit()
        pipeline = oracledb.create_pipeline()
        pipeline.add_fetchone("select 1 from dual")
        pipeline.add_execute("select * from missing")
        pipeline.add_execute("insert into a values (1)")
        for _ in range(2):
            try:
                await connection.run_pipeline(pipeline)
            except oracledb.DatabaseError as error:
                assert error.args[0].full_code == "ORA-00942", error
            else:
                raise AssertionError("no error")
            # What stands behind an error was not done.
            assert not connection.transaction_in_progress
            assert await connection.fetchone("select 1 from dual") == (1,)


def over_tls(trusted):
    context = ssl.create_default_context(cafile=os.path.join(trusted, "ewallet.pem"))
    with connect(dsn=f"tcps://localhost:{PORT}/sales", ssl_context=context) as connection:
        with connection.cursor() as cursor:
            compare(cursor.execute("select * from t where rownum <= 5000"), 5_000)
    fails(lambda: connect(dsn=f"tcps://localhost:{PORT}/sales"), "DPY-6005")
    fails(connect, "DPY-")
    print("all checks passed")


def main():
    if "RAC_SIM_TRUSTED" in os.environ:
        return over_tls(os.environ["RAC_SIM_TRUSTED"])
    checks = [
        attributes,
        wrong_password,
        another_session_than_ones_own,
        unknown_service,
        locked,
        passwords,
        sysdba,
        identity,
        rows,
        rows_in_large_arrays,
        without_prefetch,
        types,
        echo,
        long_statement,
        blocks,
        types_of_plsql,
        cursors_of_blocks,
        refused_binds,
        changes,
        arrays_of_changes,
        arrays_of_blocks,
        arrays,
        returning,
        errors,
        scrollable,
        alter,
        tags,
        schema,
        timeout,
        cancel,
        killed_while_busy,
        statement_cache,
        pooled,
    ]
    failures = 0
    for check in checks + [in_asyncio, in_pipelines]:
        name = check.__name__
        try:
            if asyncio.iscoroutinefunction(check):
                asyncio.run(asyncio.wait_for(check(), 60))
            else:
                check()
            print(f"ok {name}", flush=True)
        except Exception as error:
            failures += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}", flush=True)
    print("all checks passed" if failures == 0 else f"{failures} checks failed")
    return min(failures, 1)


if __name__ == "__main__":
    raise SystemExit(main())
