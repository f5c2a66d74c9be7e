package insitu.client;

import insitu.domain.FileDigest;
import java.nio.file.Path;

/**
 * A file that was saved.
 *
 * @param digest its name, SHA-256 and bytes; {@link FileDigest#outputRoot} compares them with a receipt
 * @param path where it is
 */
public record ResultFile(FileDigest digest, Path path) {}
