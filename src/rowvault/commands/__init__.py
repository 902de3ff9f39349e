"""One function per verb: options in, result out."""
