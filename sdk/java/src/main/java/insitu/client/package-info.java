/** Finds, publishes, buys and runs: begin with {@link insitu.client.Insitu#connect}. */
@NullMarked
package insitu.client;

import org.jspecify.annotations.NullMarked;
