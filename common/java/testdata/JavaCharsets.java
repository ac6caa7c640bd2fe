import java.nio.*;
import java.nio.charset.*;
import java.util.*;

/**
 * Prints what Java's charsets are called and how they read and write, as java_charsets.tsv holds it:
 *   name TAB charset TAB its other names, parted by blanks
 *   read TAB charset TAB bytes in hex TAB the text in hex of UTF-8, with U+FFFD for what is malformed, TAB the same without
 *   write TAB charset TAB text in hex of UTF-8 TAB bytes in hex, with Java's replacement for what the charset has not
 *
 * java JavaCharsets.java 7 > java_charsets.tsv    (JDK 17; 7 is the seed of the texts)
 */
public class JavaCharsets {
  static final String[] HERE = {"US-ASCII", "ISO-8859-1", "UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "x-UTF-16LE-BOM", "UTF-32",
      "UTF-32BE", "UTF-32LE", "GBK", "GB18030", "GB2312", "x-mswin-936", "Big5", "Big5-HKSCS", "x-windows-950", "Shift_JIS", "windows-31j", "EUC-JP", "ISO-2022-JP",
      "EUC-KR", "x-windows-949", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7",
      "ISO-8859-8", "ISO-8859-9", "ISO-8859-13", "ISO-8859-15", "ISO-8859-16", "KOI8-R", "KOI8-U", "IBM866",
      "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
      "windows-1257", "windows-1258", "x-windows-874", "TIS-620", "x-MacRoman"};

  public static void main(String[] args) throws Exception {
    Random random = new Random(Long.parseLong(args[0]));
    for (Charset charset : Charset.availableCharsets().values()) {
      System.out.println("name\t" + charset.name() + "\t" + String.join(" ", new TreeSet<>(charset.aliases())));
    }
    for (String name : HERE) {
      Charset charset = Charset.forName(name);
      boolean single = charset.newEncoder().maxBytesPerChar() == 1.0f;
      if (single) for (int n = 128; n < 256; n++) read(charset, new byte[] {(byte) n});
      String letters = letters(charset);
      for (int n = 0; n < 8; n++) {
        StringBuilder text = new StringBuilder();
        for (int left = random.nextInt(12); left > 0; left--) {
          text.appendCodePoint(random.nextInt(4) == 0 ? ' ' + random.nextInt(90) : letters.codePointAt(random.nextInt(letters.length())));
        }
        if (name.startsWith("UTF")) text.appendCodePoint(0x1f600);
        write(charset, text.toString());
        read(charset, text.toString().getBytes(charset));
      }
      write(charset, "a\u0e01\u0416\u4f60b\ud83d\ude00\u0081");
      read(charset, new byte[] {'a', (byte) 0xff, 'b', '\n'});
    }
    for (String[] row : new String[][] {{"UTF-16", "feff0061"}, {"UTF-16", "fffe6100"}, {"UTF-16", "0061"}, {"UTF-16BE", "feff0061"},
        {"UTF-16LE", "fffe6100"}, {"UTF-16LE", "feff0061"}, {"UTF-16", "006100"}, {"UTF-16BE", "d83d0061"}, {"UTF-16BE", "de000061"},
        {"UTF-16BE", "d83d"}, {"UTF-16", "fffefffe6100"}, {"x-UTF-16LE-BOM", "6100"}, {"x-UTF-16LE-BOM", "feff0061"}, {"UTF-32", "0000feff00000061"},
        {"UTF-32", "fffe000061000000"}, {"UTF-32", "00000061"}, {"UTF-32LE", "fffe000061000000"}, {"UTF-32BE", "0000feff00000061"},
        {"UTF-32BE", "0011000000000061"}, {"UTF-32BE", "000000"}, {"UTF-8", "efbbbf61"}, {"UTF-8", "61c328"}, {"UTF-8", "eda08061"},
        {"UTF-8", "f09f98"}, {"UTF-8", "f5808080"}, {"UTF-8", "e28261"}, {"GBK", "c4e3"}, {"GBK", "c4"}, {"GB18030", "8130813061"},
        {"GB18030", "9439fc36"}}) {
      byte[] bytes = new byte[row[1].length() / 2];
      for (int n = 0; n < bytes.length; n++) bytes[n] = (byte) Integer.parseInt(row[1].substring(2 * n, 2 * n + 2), 16);
      read(Charset.forName(row[0]), bytes);
    }
  }

  /** Characters of its own that a charset has: no more than 600. */
  static String letters(Charset charset) {
    StringBuilder letters = new StringBuilder();
    int[][] ranges = {{0xa1, 0x17f}, {0x386, 0x3ce}, {0x401, 0x45f}, {0x5d0, 0x5ea}, {0xe01, 0xe3a}, {0x3041, 0x3093},
        {0x30a1, 0x30f0}, {0x4e00, 0x4fff}, {0xac00, 0xac80}};
    for (int[] range : ranges)
      for (int code = range[0]; code <= range[1]; code++)
        if (new String(Character.toChars(code)).equals(new String(new String(Character.toChars(code)).getBytes(charset), charset)))
          letters.appendCodePoint(code);
    if (letters.length() == 0) letters.append("abc");
    return letters.toString();
  }

  static void read(Charset charset, byte[] bytes) throws Exception {
    System.out.println("read\t" + charset.name() + "\t" + hex(bytes) + "\t" + text(charset, bytes, CodingErrorAction.REPLACE) + "\t"
        + text(charset, bytes, CodingErrorAction.IGNORE));
  }

  static String text(Charset charset, byte[] bytes, CodingErrorAction action) throws Exception {
    CharsetDecoder decoder = charset.newDecoder().onMalformedInput(action).onUnmappableCharacter(action);
    return hex(decoder.decode(ByteBuffer.wrap(bytes)).toString().getBytes("UTF-8"));
  }

  static void write(Charset charset, String text) throws Exception {
    System.out.println("write\t" + charset.name() + "\t" + hex(text.getBytes("UTF-8")) + "\t" + hex(text.getBytes(charset)));
  }

  static String hex(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte b : bytes) out.append(String.format("%02x", b));
    return out.toString();
  }
}
