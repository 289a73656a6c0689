"""Who asks: an editor's key in the Authorization header, and what it allows (RFC 6750).

A route of the editors takes `identity: Editor` or `identity: Admin` as its **first** parameter, or
its router has the same among its dependencies: FastAPI finds dependencies in their order, so
nothing else of the request is looked at before. FastAPI reads and parses a declared body before
any dependency, so such a route declares none, and reads it with `app.api.body.json_body`.

Keys are taken from the header alone: an address is kept in histories and logs.
"""

import logging
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from app.api.exchange import EXCHANGE
from app.api.state import Register
from app.api.throttle import Throttle
from app.commands.keys import touch_key
from app.db.engine import Database
from app.domain.errors import (
    ChanceryError,
    ForbiddenError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from app.domain.keys import Identity, Refusal, Scope, digest, public_id_of
from app.queries.keys import identity_of

logger = logging.getLogger("chancery.auth")

FAILURES_A_MINUTE = 60
ADDRESSES_KEPT = 10_000
_UNKNOWN_ADDRESS = "unknown"
# By these bits a household or a server is told from its neighbours; the rest it chooses itself.
_IPV6_PREFIX = 64

_NOT_OURS = "This is no key of this register: was it copied whole?"
# Only who has the whole key is told what became of it.
_REASONS = {
    Refusal.UNKNOWN: _NOT_OURS,
    Refusal.WRONG_SECRET: _NOT_OURS,
    Refusal.EXPIRED: "This key has expired.",
    Refusal.REVOKED: "This key was revoked.",
}

# This only describes the scheme; the header is read below, where failures are counted.
_SCHEME = HTTPBearer(
    scheme_name="key",
    bearerFormat="chancery_…",
    description="An editor's key; those who run the service make it: `chancery keys create`.",
    auto_error=False,
)


def failed_attempts() -> Throttle:
    """Return the count of failed attempts, which an application keeps as `failed_attempts`.

    Guessing is throttled by address; a key that is accepted never is. Each worker process counts
    the last 10,000 addresses that failed.
    """
    return Throttle(FAILURES_A_MINUTE, ADDRESSES_KEPT)


async def identify(
    needed: SecurityScopes,
    request: Request,
    register: Register,
    _: Annotated[object, Security(_SCHEME)],
) -> Identity:
    """Return who asks.

    Raises:
        UnauthenticatedError: there is no key, or one that isn't accepted.
        ThrottledError: there were too many such keys from this address.
        ForbiddenError: the key lacks a scope that the operation needs.

    """
    identity = await _owner(request, register)
    for scope in needed.scopes:
        if scope not in identity.scopes:
            raise ForbiddenError(scope)
    return identity


Editor = Annotated[Identity, Security(identify, scopes=[Scope.EDIT])]
Admin = Annotated[Identity, Security(identify, scopes=[Scope.ADMIN])]


async def _owner(request: Request, register: Database) -> Identity:
    key = _sent_key(request)
    public_id = public_id_of(key)
    if public_id is None:
        raise _refused(request, "malformed", "This is no key: was it copied whole?")
    async with register.reading() as connection:
        found = await identity_of(connection, public_id, digest(key))
    if isinstance(found, Refusal):
        raise _refused(request, f"{found}, id {public_id}", _REASONS[found])
    EXCHANGE.get().key = found.identity.key_id
    if found.unused_lately:
        await _note_use(register, public_id)
    return found.identity


def _sent_key(request: Request) -> str:
    sent = request.headers.getlist("authorization")
    if len(sent) > 1:
        raise _refused(request, "several headers", "There was more than one Authorization header.")
    scheme, _, key = (sent[0] if sent else "").partition(" ")
    # Schemes are the same in capitals and small letters (RFC 9110, section 11.1).
    if scheme.lower() != "bearer":
        raise UnauthenticatedError
    return key.strip(" ")


def _refused(request: Request, reason: str, sentence: str) -> ChanceryError:
    """Count and log a failure, and return what to answer.

    What is throttled isn't logged, so that guessing doesn't fill the disk either.
    """
    address = address_of(request.client.host if request.client else "")
    wait = request.app.state.failed_attempts.take(address)
    if wait:
        return ThrottledError(wait)
    logger.warning("A key was refused to %s: %s", address, reason)
    return UnauthenticatedError(sentence)


def address_of(host: str) -> str:
    """Return the address by which failures are counted: of IPv6 the network."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        # A socket of the machine itself, or a proxy that hides whom it speaks for.
        return _UNKNOWN_ADDRESS
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        return str(inner or ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address)


async def _note_use(register: Database, public_id: str) -> None:
    # In a transaction of its own: a request that fails later has used the key all the same.
    try:
        async with register.editing() as connection:
            await touch_key(connection, public_id)
    except UnavailableError:
        logger.warning("The last use of key %s could not be noted.", public_id)
