/** JSON as hashed documents need it: a strict reader, values that cannot change, and the canonical writer (RFC 8785). */
@NullMarked
package insitu.json;

import org.jspecify.annotations.NullMarked;
