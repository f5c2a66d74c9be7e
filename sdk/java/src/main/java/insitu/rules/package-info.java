/** Rules of documents before they are signed, what a version may change, and what publishers leave out. */
@NullMarked
package insitu.rules;

import org.jspecify.annotations.NullMarked;
