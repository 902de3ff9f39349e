"""One function per verb: its options in, its result out; nothing is parsed or printed here."""
