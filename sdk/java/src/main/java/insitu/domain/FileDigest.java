package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * A file as a leaf of a Merkle tree.
 *
 * @param name its name or path; empty if only its place counts
 * @param sha256 64 lower-case hexadecimal digits
 * @param size in bytes
 */
public record FileDigest(String name, String sha256, long size) {
    /** Returns the root over published files, sorted by path: anyone with the files can compute it. */
    public static String outputRoot(List<FileDigest> files) {
        // UTF-8 sorts like code points, and UTF-16 does not.
        return root(
                files.stream()
                        .sorted(Comparator.comparing(file -> Bytes.utf8(file.name()), Arrays::compareUnsigned))
                        .toList(),
                new byte[0]);
    }

    /**
     * Returns the Merkle root of a list of files, 64 hexadecimal digits. The tree is that of RFC 6962; the order counts.
     *
     * @param salt 32 bytes for inputs, which the provider keeps, so that nobody guesses the data; empty for outputs
     */
    public static String root(List<FileDigest> files, byte[] salt) {
        return Bytes.digits(root(files.stream().map(file -> file.leaf(salt)).toArray(byte[][]::new)));
    }

    private byte[] leaf(byte[] salt) {
        Map<String, String> described = Map.of("name", name, "sha256", sha256, "size", Long.toString(size));
        return Hashes.sha256(Bytes.concat(new byte[] {0}, salt, Json.canonical(Json.of(described))));
    }

    private static byte[] root(byte[][] leaves) {
        if (leaves.length == 0) {
            return Hashes.sha256(new byte[0]);
        }
        if (leaves.length == 1) {
            return leaves[0];
        }
        int split = Integer.highestOneBit(leaves.length - 1);
        byte[] left = root(Arrays.copyOf(leaves, split));
        return Hashes.sha256(
                Bytes.concat(new byte[] {1}, left, root(Arrays.copyOfRange(leaves, split, leaves.length))));
    }
}
