"""TLS for a plain server: `python -m tools.deploy_check.tls_proxy PORT TARGET_PORT PEM`.

ElastiCache speaks TLS and the functions insist on it; the embedded server was built without.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys

_HOST = "127.0.0.1"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A side that goes away ends the connection, whatever way it goes.
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, ssl.SSLError):
        writer.close()
        await writer.wait_closed()


async def _serve(port: int, target: int, pem: str) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plain_reader, plain_writer = await asyncio.open_connection(_HOST, target)
        await asyncio.gather(_copy(reader, plain_writer), _copy(plain_reader, writer))

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    server = await asyncio.start_server(connect, _HOST, port, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
