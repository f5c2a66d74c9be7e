package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.generators.SCrypt;
import org.bouncycastle.crypto.params.KeyParameter;

/** Opens key files of Web3 Secret Storage, version 3, as wallets and {@code insitu} write them. */
public final class KeyFiles {
    private static final Pattern HEX = Pattern.compile("(?:0x)?(?:[0-9a-fA-F]{2})+");
    // A hostile file must not exhaust this machine.
    private static final long MOST_MEMORY = 1L << 30;
    private static final long MOST_ROUNDS = 10_000_000;

    private KeyFiles() {}

    /**
     * Opens a key file of this machine.
     *
     * @throws InsituException {@code KeyNotFound} if it cannot be read, {@code KeyInvalid} if it is not a key file,
     *     {@code KeyPasswordWrong} if the password does not open it
     */
    public static LocalSigner open(Path path, String password) {
        byte[] file;
        try {
            file = Files.readAllBytes(path);
        } catch (IOException cause) {
            throw new InsituException(ErrorCode.KeyNotFound, path + " cannot be read", cause);
        }
        try {
            return open(Json.read(file), password);
        } catch (InsituException refusal) {
            if (!refusal.code().equals(ErrorCode.InvalidDocument)) {
                throw refusal;
            }
            throw new InsituException(ErrorCode.KeyInvalid, "this is not a key file: " + refusal.detail());
        }
    }

    private static LocalSigner open(JsonValue json, String password) {
        Place file = Place.of(json);
        if (file.at("version").integer() != 3) {
            throw file.at("version").refusal("only version 3 is opened");
        }
        String crypto = file.object().members().keySet().stream()
                .filter("crypto"::equalsIgnoreCase)
                .findFirst()
                .orElse("crypto");
        Place sealed = file.at(crypto);
        sealed.at("cipher").oneOf("aes-128-ctr");
        byte[] iv = hex(sealed.at("cipherparams").at("iv"));
        byte[] ciphertext = hex(sealed.at("ciphertext"));
        byte[] mac = hex(sealed.at("mac"));
        byte[] derived = derive(sealed, password);
        // A wrong password and a damaged file both fail the file's checksum.
        if (!MessageDigest.isEqual(Hashes.keccak(Arrays.copyOfRange(derived, 16, 32), ciphertext), mac)) {
            throw new InsituException(ErrorCode.KeyPasswordWrong, "the password does not open the file");
        }
        try {
            Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
            SecretKeySpec key = new SecretKeySpec(Arrays.copyOf(derived, 16), "AES");
            cipher.init(Cipher.DECRYPT_MODE, key, new IvParameterSpec(iv));
            return LocalSigner.of(cipher.doFinal(ciphertext));
        } catch (GeneralSecurityException cause) {
            throw new InsituException(ErrorCode.KeyInvalid, "the file cannot be decrypted", cause);
        }
    }

    private static byte[] derive(Place sealed, String password) {
        String function = sealed.at("kdf").oneOf("scrypt", "pbkdf2");
        Place parameters = sealed.at("kdfparams");
        byte[] salt = hex(parameters.at("salt"));
        int length = (int) parameters.at("dklen").integer(32, 64);
        if (function.equals("pbkdf2")) {
            parameters.at("prf").oneOf("hmac-sha256");
            int rounds = (int) parameters.at("c").integer(1, MOST_ROUNDS);
            PKCS5S2ParametersGenerator generator = new PKCS5S2ParametersGenerator(new SHA256Digest());
            generator.init(Bytes.utf8(password), salt, rounds);
            return ((KeyParameter) generator.generateDerivedMacParameters(8 * length)).getKey();
        }
        long n = parameters.at("n").integer(2, 1 << 24);
        long r = parameters.at("r").integer(1, 64);
        int p = (int) parameters.at("p").integer(1, 64);
        // RFC 7914 wants n < 2^(128 * r / 8), which Bouncy Castle insists on.
        if (128 * n * r > MOST_MEMORY || Long.bitCount(n) != 1 || (r == 1 && n >= 1 << 16)) {
            throw parameters.refusal("the file asks for too much work, or for parameters that scrypt does not have");
        }
        return SCrypt.generate(Bytes.utf8(password), salt, (int) n, (int) r, p, length);
    }

    private static byte[] hex(Place at) {
        return Bytes.fromHex(at.matching(HEX, "hexadecimal digits"));
    }
}
