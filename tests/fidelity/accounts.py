"""Users, roles and grants of both vendors, for the page and for tests/server/test_users.py.

They belong to no database, so they are carried apart from the other cases, with `--users`, and
compared by the servers' own tables. All statements of a vendor run in the order of its cases.
"""

from __future__ import annotations

from dataclasses import dataclass

_PRINTABLE = rb"""$A$005$quo'te\back"slash!~`BLD/ZpCSfzNkxvY7vlXIpJYYlq3MGOxPqQyzZUgQMF4"""


@dataclass(frozen=True, slots=True)
class AccountCase:
    """Some users, or what they hold; all of it is kept."""

    subject: str
    line: str
    makes: tuple[str, ...]


DEFINERS = ("CREATE USER app@'%' IDENTIFIED BY 'secret of app'",)
"""Whom the objects of `SCHEMA` name."""

SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (a INT PRIMARY KEY, b INT, `o``d'd` INT)",
    "CREATE TABLE shop.other (a INT)",
    "CREATE DATABASE wiki",
    "CREATE TABLE wiki.page (a INT)",
    "CREATE DEFINER = app@'%' PROCEDURE shop.p() SELECT 1",
    "CREATE DEFINER = app@'%' FUNCTION shop.f() RETURNS INT DETERMINISTIC RETURN 1",
    "CREATE DEFINER = app@'%' VIEW shop.v AS SELECT a FROM shop.t",
)
"""What the grants are on."""

_BOTH = (
    AccountCase(
        "user",
        "users without a password, without a name, with odd names, patterns and networks as hosts",
        (
            "CREATE USER nopw@localhost",
            "CREATE USER ''@'192.168.3.4'",
            "CREATE USER 'we`ird'' \"q'@'%.exam_ple.org' IDENTIFIED BY 'q'",
            "CREATE USER 'ünï'@'192.168.0.0/255.255.0.0'",
            "CREATE USER 'multi'@'10.%' IDENTIFIED BY 'm'",
        ),
    ),
    AccountCase(
        "TLS requirements, limits",
        "REQUIRE with quotes and backslashes, SSL, X509; every limit",
        (
            "CREATE USER tls@localhost IDENTIFIED BY 'p' REQUIRE ISSUER '/C=SE/O=My''s \"CA\"'"
            " AND SUBJECT '/CN=x\\\\y' AND CIPHER 'ECDHE-RSA-AES128-GCM-SHA256'"
            " WITH MAX_QUERIES_PER_HOUR 3 MAX_USER_CONNECTIONS 2 MAX_UPDATES_PER_HOUR 1"
            " MAX_CONNECTIONS_PER_HOUR 9",
            "CREATE USER ssl1@localhost REQUIRE SSL",
            "CREATE USER x509@localhost REQUIRE X509",
        ),
    ),
    AccountCase(
        "locked user, expired password",
        "ACCOUNT LOCK; PASSWORD EXPIRE now, never, by its age, which goes on",
        (
            "CREATE USER locked@localhost IDENTIFIED BY 'p' ACCOUNT LOCK",
            "CREATE USER expired@localhost IDENTIFIED BY 'p' PASSWORD EXPIRE",
            "CREATE USER never@localhost IDENTIFIED BY 'p' PASSWORD EXPIRE NEVER",
            "SET timestamp = 1700000000",
            "CREATE USER old@localhost IDENTIFIED BY 'p' PASSWORD EXPIRE INTERVAL 30 DAY",
            "SET timestamp = DEFAULT",
        ),
    ),
    AccountCase(
        "grant",
        "on everything, databases, patterns, tables, views, columns, routines, the server's own "
        "tables; GRANT OPTION alone",
        (
            "GRANT SELECT, INSERT (a, `o``d'd`), UPDATE (b, a) ON shop.t TO multi@'10.%'"
            " WITH GRANT OPTION",
            "GRANT SELECT ON `sh\\_p%`.* TO nopw@localhost",
            "GRANT ALL ON shop.* TO never@localhost WITH GRANT OPTION",
            "GRANT SELECT ON wiki.* TO never@localhost",
            "GRANT SELECT ON wiki.page TO nopw@localhost",
            "GRANT EXECUTE ON PROCEDURE shop.p TO nopw@localhost",
            "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION shop.f TO app@'%' WITH GRANT OPTION",
            "GRANT SELECT ON shop.v TO 'we`ird'' \"q'@'%.exam_ple.org'",
            "GRANT PROCESS, RELOAD ON *.* TO tls@localhost WITH GRANT OPTION",
            "GRANT USAGE ON *.* TO x509@localhost WITH GRANT OPTION",
            "GRANT SELECT ON mysql.* TO locked@localhost",
        ),
    ),
    AccountCase(
        "PROXY",
        "of one user, of everybody",
        (
            "GRANT PROXY ON nopw@localhost TO multi@'10.%' WITH GRANT OPTION",
            "GRANT PROXY ON ''@'' TO ssl1@localhost",
        ),
    ),
)

_MARIADB = (
    AccountCase(
        "several ways to log in",
        "IDENTIFIED VIA ed25519 OR mysql_native_password OR unix_socket",
        (
            "INSTALL SONAME 'auth_ed25519'",
            "CREATE USER many@'10.%' IDENTIFIED VIA ed25519 USING PASSWORD('x')"
            " OR mysql_native_password USING PASSWORD('y') OR unix_socket",
        ),
    ),
    AccountCase(
        "locked user, expired password",
        "expired now, and by its age later; MAX_STATEMENT_TIME",
        (
            "CREATE USER slow@localhost WITH MAX_STATEMENT_TIME 1.5 PASSWORD EXPIRE",
            "ALTER USER slow@localhost PASSWORD EXPIRE INTERVAL 30 DAY",
        ),
    ),
    AccountCase(
        "role",
        "roles of roles; administrators that are users, roles, root; a user and a role of one "
        "name; default roles; sequences; PUBLIC",
        (
            "CREATE ROLE r1",
            "CREATE ROLE r2 WITH ADMIN multi@'10.%'",
            "CREATE ROLE r3 WITH ADMIN r1",
            "CREATE ROLE `odd``role`",
            "CREATE ROLE multi",
            "CREATE ROLE own WITH ADMIN root@localhost",
            "GRANT r1 TO multi@'10.%' WITH ADMIN OPTION",
            "GRANT r1 TO r2",
            "GRANT r1 TO nopw@localhost",
            "SET DEFAULT ROLE r1 FOR nopw@localhost",
            "GRANT SELECT ON *.* TO r1",
            "GRANT SELECT ON shop.t TO multi",
            "GRANT SELECT ON shop.* TO PUBLIC",
            "CREATE SEQUENCE shop.s",
            "GRANT SELECT, INSERT ON shop.s TO r1",
            "GRANT ALL ON *.* TO app@'%'",
        ),
    ),
)

_MYSQL = (
    AccountCase(
        "password rules, comments, attributes",
        "history, reuse, current password, failed logins; COMMENT and ATTRIBUTE with quotes",
        (
            "CREATE USER full@'10.%' IDENTIFIED BY 'x' PASSWORD HISTORY 5"
            " PASSWORD REUSE INTERVAL 10 DAY PASSWORD REQUIRE CURRENT"
            " FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2 COMMENT 'it''s \"me\" \\\\ ünï'",
            "CREATE USER attr@localhost IDENTIFIED BY 'p'"
            ' ATTRIBUTE \'{"fname": "J\\\\"a\'\'mes", "n": 1.50}\'',
            "CREATE USER wait@localhost IDENTIFIED BY 'p' PASSWORD_LOCK_TIME UNBOUNDED"
            " FAILED_LOGIN_ATTEMPTS 4 PASSWORD REQUIRE CURRENT OPTIONAL",
        ),
    ),
    AccountCase(
        "several passwords",
        "a second one beside the current one, with a history and without, also expired",
        (
            "CREATE USER twice@localhost IDENTIFIED BY 'old' PASSWORD HISTORY 4",
            "ALTER USER twice@localhost IDENTIFIED BY 'mid'",
            "ALTER USER twice@localhost IDENTIFIED BY 'new' RETAIN CURRENT PASSWORD",
            "CREATE USER thrice@localhost IDENTIFIED BY 'old'",
            "ALTER USER thrice@localhost IDENTIFIED BY 'new' RETAIN CURRENT PASSWORD"
            " PASSWORD EXPIRE",
        ),
    ),
    AccountCase(
        "hash of a password",
        "caching_sha2_password, also with a salt that prints, sha256_password",
        (
            "CREATE USER sha@localhost IDENTIFIED WITH sha256_password BY 'p'",
            "CREATE USER printable@localhost IDENTIFIED WITH caching_sha2_password"
            f" AS 0x{_PRINTABLE.hex()}",
        ),
    ),
    AccountCase(
        "role",
        "roles of roles, at a host, WITH ADMIN OPTION; several default roles",
        (
            "CREATE ROLE r1, r2@'192.168.3.5', `odd``role`",
            "GRANT r1 TO multi@'10.%' WITH ADMIN OPTION",
            "GRANT r1 TO r2@'192.168.3.5'",
            "GRANT r2@'192.168.3.5', r1 TO nopw@localhost",
            "SET DEFAULT ROLE r2@'192.168.3.5', r1 TO nopw@localhost",
            "GRANT SELECT ON *.* TO r1",
        ),
    ),
    AccountCase(
        "partial revoke, dynamic rights",
        "REVOKE on a database of a right on everything; dynamic rights with GRANT OPTION or not",
        (
            "SET GLOBAL partial_revokes = ON",
            "GRANT SELECT, INSERT ON *.* TO attr@localhost WITH GRANT OPTION",
            "REVOKE SELECT ON mysql.* FROM attr@localhost",
            "REVOKE INSERT ON `sh_p`.* FROM attr@localhost",
            "GRANT SYSTEM_USER, BACKUP_ADMIN ON *.* TO attr@localhost",
            "GRANT CLONE_ADMIN, XA_RECOVER_ADMIN ON *.* TO attr@localhost WITH GRANT OPTION",
            "GRANT BACKUP_ADMIN ON *.* TO expired@localhost WITH GRANT OPTION",
            "GRANT ALL ON *.* TO app@'%' WITH GRANT OPTION",
        ),
    ),
)

CASES = {"mariadb": (*_BOTH, *_MARIADB), "mysql": (*_BOTH, *_MYSQL)}
"""By vendor; they need `DEFINERS`, then `SCHEMA`."""

NAMED = (
    "users that the server ignores",
    "users whose method of authentication the target lacks",
    "grants on what the target does not have",
)
NOT_KEPT = ("who gave a grant, and when", "how often a log-in has failed")
