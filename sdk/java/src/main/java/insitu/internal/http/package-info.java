/** Calls servers within bounds; not exported. */
@NullMarked
package insitu.internal.http;

import org.jspecify.annotations.NullMarked;
