"""Geometries."""

from __future__ import annotations

from fidelity.case import Case

TYPES = {
    "POINT": "POINT(1.5 -2)",
    "LINESTRING": "LINESTRING(0 0, 1 1, 2 2)",
    "POLYGON": "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))",
    "MULTIPOINT": "MULTIPOINT((0 0), (1 1))",
    "MULTILINESTRING": "MULTILINESTRING((0 0, 1 1), (2 2, 3 3))",
    "MULTIPOLYGON": "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)), ((2 2, 3 2, 3 3, 2 2)))",
    "GEOMETRYCOLLECTION": "GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))",
}

CASES = (
    *(
        Case(
            f"{kind}: in a column of its type, of GEOMETRY, and with SRID 4326",
            kind,
            (
                f"CREATE TABLE {kind.lower()}s (id INT PRIMARY KEY, a {kind}, b GEOMETRY,"
                f" c {kind} NOT NULL SRID 4326, d GEOMETRY, SPATIAL KEY (c))",
                f"INSERT INTO {kind.lower()}s VALUES (1, ST_GeomFromText('{text}'),"
                f" ST_GeomFromText('{text}', 3857), ST_GeomFromText('{text}', 4326),"
                f" ST_GeomFromText('{text}', 4326, 'axis-order=long-lat')),"
                f" (2, NULL, NULL, ST_GeomFromText('{text}', 4326), NULL)",
            ),
            (f"table {kind.lower()}s",),
        )
        for kind, text in TYPES.items()
    ),
    Case(
        "geometries: empty collection, invalid polygon, SRID of another axis order",
        "GEOMETRY",
        (
            "CREATE TABLE odd_geometries (id INT PRIMARY KEY, g GEOMETRY, h GEOMETRY SRID 0)",
            "INSERT INTO odd_geometries VALUES"
            " (1, ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'), ST_GeomFromText('POINT(1 2)')),"
            " (2, ST_GeomFromText('POLYGON((0 0, 1 1, 0 1, 1 0, 0 0))'), NULL),"
            " (3, ST_GeomFromText('POINT(50 10)', 4258), NULL),"
            " (4, ST_GeomFromText('POINT(1e308 -0.0)'), NULL)",
        ),
        ("table odd_geometries",),
    ),
    Case(
        "geometry: DEFAULT expression, generated point",
        "GEOMETRY",
        (
            "CREATE TABLE geometry_rules (x DOUBLE, y DOUBLE, g POINT AS (POINT(x, y)) STORED,"
            " h POINT NOT NULL DEFAULT (POINT(1, 2)), i POINT NOT NULL SRID 0,"
            " PRIMARY KEY (x), SPATIAL KEY (i))",
            "INSERT INTO geometry_rules (x, y, i) VALUES (1, 2, POINT(1, 1)), (3, 4, POINT(0, 1))",
        ),
        ("table geometry_rules",),
    ),
)
