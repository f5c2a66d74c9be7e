/** Runs what was bought, at a gateway: begin with {@link insitu.client.Insitu#connect}. */
@NullMarked
package insitu.client;

import org.jspecify.annotations.NullMarked;
