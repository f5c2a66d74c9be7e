/** What the packages of this library share; not exported. */
@NullMarked
package insitu.internal;

import org.jspecify.annotations.NullMarked;
