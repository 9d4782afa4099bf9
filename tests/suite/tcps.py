"""Makes a wallet for TCPS in a directory, then stands in front of a database as its TLS, until it is ended.

Arguments: the directory, the database's address and port, and whether the wallet trusts the server. Prints its port.

`ewallet.p12` is what orapki makes of a key, its certificate and a CA's. `cwallet.sso` holds the same behind its
password, which is encrypted with a key beside it: so a client opens it without being told one.
"""
import socket
import ssl
import subprocess
import sys
import threading

PLACE, HOST, PORT, TRUST = sys.argv[1:]
PASSWORD = b"Tests.0123456789"
KEY, VECTOR = bytes(range(16)), "c034d8311c02cef851f0144b81ed4bf2"


def openssl(*words, given=None):
    done = subprocess.run(("openssl",) + words, input=given, cwd=PLACE, capture_output=True)
    if done.returncode:
        sys.exit(done.stderr.decode())
    return done.stdout


def authority(name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}/O=tests",
            "-keyout", f"{name}.key", "-out", f"{name}.pem")


def certificate(name, signer):
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}/O=tests",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-days", "2", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key",
            "-CAcreateserial", "-out", f"{name}.pem")


def wallet(name, signer):
    openssl("pkcs12", "-export", "-in", f"{name}.pem", "-inkey", f"{name}.key", "-certfile", f"{signer}.pem",
            "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1",
            "-passout", f"pass:{PASSWORD.decode()}", "-out", "ewallet.p12")
    hidden = openssl("enc", "-aes-128-cbc", "-nopad", "-K", KEY.hex(), "-iv", VECTOR, given=PASSWORD)
    with open(f"{PLACE}/ewallet.p12", "rb") as protected, open(f"{PLACE}/cwallet.sso", "wb") as opened:
        behind = b"\x06" + KEY + hidden
        header = bytes.fromhex("a1f84e36") + (6).to_bytes(4, "big") + len(behind).to_bytes(4, "big")
        opened.write(header + behind + protected.read())


def pump(one, other):
    try:
        while some := one.recv(65536):
            other.sendall(some)
    except OSError:
        pass
    for end in (one, other):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(client):
    try:
        secured = context.wrap_socket(client, server_side=True)
        server = socket.create_connection((HOST, int(PORT)))
    except OSError:
        return
    threading.Thread(target=pump, args=(server, secured), daemon=True).start()
    pump(secured, server)


for one in ("ours", "theirs"):
    authority(one)
certificate("client", "ours")
certificate("localhost", "ours" if TRUST == "trusted" else "theirs")
wallet("client", "ours")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{PLACE}/localhost.pem", f"{PLACE}/localhost.key")
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("AES256-GCM-SHA384")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=join, args=(listener.accept()[0],), daemon=True).start()
