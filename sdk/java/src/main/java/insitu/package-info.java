/** What a program of insitu begins with, and its errors. */
@NullMarked
package insitu;

import org.jspecify.annotations.NullMarked;
