/** The rules that every implementation shares: ids, checksums, signatures, agreements. Pure: no clock, no network. */
@NullMarked
package insitu.domain;

import org.jspecify.annotations.NullMarked;
