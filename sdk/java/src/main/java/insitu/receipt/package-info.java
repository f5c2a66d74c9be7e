/** Checks receipts offline: without a client, a key or a chain. Begin with {@link insitu.receipt.Receipts}. */
@NullMarked
package insitu.receipt;

import org.jspecify.annotations.NullMarked;
