"""Triggers, in the order in which they fire, and events."""

from __future__ import annotations

from fidelity.case import Case, Kept

CASES = (
    Case(
        "triggers of every time and event, and their order",
        "TRIGGER",
        (
            "CREATE TABLE fired (id INT PRIMARY KEY AUTO_INCREMENT, v INT, log VARCHAR(99)"
            " DEFAULT '')",
            "CREATE TRIGGER b2 BEFORE INSERT ON fired FOR EACH ROW SET NEW.log = CONCAT(NEW.log,"
            " 'b2')",
            "CREATE TRIGGER b1 BEFORE INSERT ON fired FOR EACH ROW FOLLOWS b2"
            " SET NEW.log = CONCAT(NEW.log, 'b1')",
            "CREATE TRIGGER b0 BEFORE INSERT ON fired FOR EACH ROW PRECEDES b2"
            " SET NEW.log = CONCAT(NEW.log, 'b0')",
            "CREATE TRIGGER b3 BEFORE INSERT ON fired FOR EACH ROW PRECEDES b1"
            " SET NEW.log = CONCAT(NEW.log, 'b3')",
            "CREATE TRIGGER `odd ``name;` AFTER UPDATE ON fired FOR EACH ROW SET @x = OLD.v",
            "CREATE TRIGGER gone BEFORE DELETE ON fired FOR EACH ROW BEGIN IF OLD.v THEN"
            " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no; ''never'''; END IF; END",
            "INSERT INTO fired (v) VALUES (0)",
        ),
        (
            "table fired",
            "trigger b0",
            "trigger b1",
            "trigger b2",
            "trigger b3",
            "trigger odd `name;",
            "trigger gone",
        ),
    ),
    Case(
        "triggers with the sql_mode, charset and definer that they are of",
        "TRIGGER",
        (
            "CREATE TABLE moded (id INT, v VARCHAR(9))",
            "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
            "CREATE DEFINER = nobody@nowhere TRIGGER ansi BEFORE INSERT ON moded FOR EACH ROW"
            " SET NEW.\"v\" = NEW.v || 'x' /* kept */",
            "SET sql_mode = ''",
            "SET NAMES latin1",
            "CREATE TRIGGER `t\xe9` BEFORE UPDATE ON moded FOR EACH ROW SET NEW.v = '\xe9'".encode(
                "latin1"
            ),
        ),
        ("table moded", "trigger ansi", "trigger t\u00e9"),
    ),
    Case(
        "a trigger that names what is not there",
        "TRIGGER that is broken",
        (
            "CREATE TABLE broken (id INT)",
            "CREATE TRIGGER broken_trigger AFTER INSERT ON broken FOR EACH ROW INSERT INTO"
            " nowhere.t"
            " VALUES (1)",
        ),
        ("table broken", "trigger broken_trigger"),
    ),
    Case(
        "events: once, every, with an end, in another time zone, in every state",
        "EVENT",
        (
            "CREATE EVENT once ON SCHEDULE AT '2037-01-01 10:00:00' ON COMPLETION PRESERVE COMMENT"
            " 'it''s' DO SET @x = ';'",
            "SET time_zone = '+05:45'",
            "CREATE EVENT every_day ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 10:00:00' ENDS"
            " '2037-01-01 00:00:00' DISABLE DO BEGIN SET @a = 1; /* x */ SET @b = 2; END",
            "SET time_zone = 'SYSTEM'",
            "CREATE EVENT zone_of_server ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS"
            " '2030-01-01 10:00:00' DO SET @x = 1",
            "SET time_zone = '+00:00'",
            "CREATE EVENT on_replica ON SCHEDULE EVERY 2 WEEK STARTS '2030-01-01 00:00:00'"
            " DISABLE ON SLAVE DO SET @x = 1",
            "CREATE EVENT enabled ON SCHEDULE EVERY 3 QUARTER STARTS '2030-01-01 00:00:00' ENABLE"
            " DO"
            " SET @x = 1",
            "SET sql_mode = 'ANSI_QUOTES'",
            "CREATE DEFINER = nobody@`%` EVENT moded ON SCHEDULE EVERY 5 YEAR STARTS"
            ' \'2030-01-01 00:00:00\' DO SELECT "x" FROM "t"',
            "SET sql_mode = ''",
            "SET NAMES latin1",
            "CREATE EVENT `e\xe9` ON SCHEDULE EVERY 1 MONTH STARTS '2030-01-01 00:00:00' DO"
            " SELECT '\xe9'".encode("latin1"),
        ),
        (
            "event once",
            "event every_day",
            "event zone_of_server",
            "event on_replica",
            "event enabled",
            "event moded",
            "event e\u00e9",
        ),
    ),
    Case(
        "events whose time has passed",
        "EVENT",
        (
            "CREATE EVENT passed ON SCHEDULE AT '2037-01-01 10:00:00' ON COMPLETION PRESERVE DO"
            " SET @x = 1",
            "SET timestamp = UNIX_TIMESTAMP('2020-01-01')",
            "ALTER EVENT passed ON SCHEDULE AT '2020-01-02 10:00:00' DISABLE",
            "CREATE EVENT ended ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 10:00:00' ENDS"
            " '2020-01-03 00:00:00' ON COMPLETION PRESERVE DISABLE DO SET @x = 1",
        ),
        ("event passed", "event ended"),
    ),
    Case(
        "an event whose time has passed and that is not to be preserved",
        "EVENT that is over",
        (
            "SET timestamp = UNIX_TIMESTAMP('2020-01-01')",
            "CREATE EVENT long_ago ON SCHEDULE AT '2020-01-02 10:00:00' ON COMPLETION NOT PRESERVE"
            " DO SET @x = 1",
        ),
        ("event long_ago",),
        Kept(
            "the server that gets it drops it, as its own scheduler would have",
            changes=("event long_ago",),
            at_restore=r"creating event triggers\.long_ago: Event execution time is in the past",
        ),
    ),
)
