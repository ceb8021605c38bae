"""Knocking: when no server can be used, each is asked once more, slowly, for the reason in words.

The clients try again and again and say at the end that they could not. Whoever set the address, the certificate or the
password wrong needs to know which of them it was.
"""

import asyncio
import socket
import ssl
import struct
from contextlib import closing

from aiokafka.conn import create_conn
from aiokafka.errors import AuthenticationFailedError, KafkaError, UnsupportedSaslMechanismError

from streams.cluster import Cluster

__all__ = ["knock"]

_PATIENCE = 5.0
# Kafka's simplest question: which versions do you speak? It may be asked before a user is named.
_QUESTION = struct.pack(">ihhih", 10, 18, 0, 1, -1)
_LONGEST_ANSWER = 1 << 20


def knock(cluster: Cluster) -> str:
    """Say of each server why it cannot be used; called where no loop runs."""
    return "; ".join(f"{server}: {asyncio.run(_reason(cluster, server))}" for server in cluster.servers)


async def _reason(cluster: Cluster, server: str) -> str:
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(_PATIENCE):
            await _ask(host.strip("[]"), int(port), cluster.ssl_context())
            if cluster.has_sasl:
                await _say_who(host.strip("[]"), int(port), cluster)
    except socket.gaierror:
        return "no such host is known here"
    except ConnectionRefusedError:
        return "nothing listens there"
    except TimeoutError:
        return f"no answer within {_PATIENCE:.0f} s; is a firewall between?"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not trusted ({error.verify_message}); see KAIROS_SSL_CAFILE"
    except ssl.SSLError as error:
        return _of_tls(error)
    except UnsupportedSaslMechanismError:
        return f"it does not offer {cluster.sasl_mechanism}; see KAIROS_SASL_MECHANISM"
    except AuthenticationFailedError:
        return "user or password is wrong; see KAIROS_SASL_USERNAME, KAIROS_SASL_PASSWORD and KAIROS_SASL_MECHANISM"
    except (OSError, EOFError, KafkaError):
        return f"it closed the line: it does not take {cluster.security_protocol}; see KAIROS_SECURITY_PROTOCOL"
    return "it answers, but not to what was asked: does it want a user, or advertise an address that we cannot reach?"


def _of_tls(error: ssl.SSLError) -> str:
    if "CERTIFICATE_REQUIRED" in str(error):
        return "it asks for a certificate of ours; see KAIROS_SSL_CERTFILE"
    if "WRONG_VERSION_NUMBER" in str(error) or "RECORD_LAYER" in str(error):
        return "it does not speak TLS; see KAIROS_SECURITY_PROTOCOL"
    return f"TLS failed ({error.reason or 'no reason given'})"


async def _ask(host: str, port: int, context: ssl.SSLContext | None) -> None:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    with closing(writer):
        writer.write(_QUESTION)
        await writer.drain()
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        if not 0 < size < _LONGEST_ANSWER:
            raise EOFError("no answer of Kafka's")


async def _say_who(host: str, port: int, cluster: Cluster) -> None:
    named = {name: value for name, value in cluster.for_aiokafka().items() if name != "bootstrap_servers"}
    try:
        connection = await create_conn(host, port, **named)
    except UnsupportedSaslMechanismError:
        raise
    except (KafkaError, OSError, EOFError) as error:
        # It spoke with us until we said who we are; some servers then say why they stop, some only close the line.
        raise AuthenticationFailedError from error
    connection.close()
