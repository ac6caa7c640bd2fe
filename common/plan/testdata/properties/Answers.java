import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;

/**
 * Asks a JDK what nasty .properties texts mean. Made answers.json:
 *
 *     java Answers.java > answers.json          (OpenJDK 17.0.15)
 *
 * Each case is a line: the input, one character a byte, and either the pairs or null where load() throws.
 * "utf8" cases were read through a UTF-8 reader, the others as a stream, that is as ISO-8859-1.
 */
public class Answers {
    private static final List<String> out = new ArrayList<>();

    public static void main(String[] args) {
        for (String text : CASES) {
            ask(text, false);
        }
        for (String text : List.of("k\u00e9y=v\u00e4lue", "a=\u6b64\u5904\u4fee\u6539", "a=\u00a0 b\u00a0", "a=\ud83d\ude00", "a\u3000b=c")) {
            ask(text, true);
        }
        Random random = new Random(20261122);
        String alphabet = " \t\f\r\n\n\\\\\\==::##!!abcu0041\u00e9";
        for (int i = 0; i < 1500; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(24); n >= 0; n--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            ask(text.toString(), false);
        }
        System.out.println("[" + String.join(",\n", out) + "]");
    }

    private static void ask(String text, boolean utf8) {
        byte[] bytes = text.getBytes(utf8 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
        TreeMap<String, String> pairs = new TreeMap<>();
        String answer;
        try {
            Properties properties = new Properties();
            ByteArrayInputStream stream = new ByteArrayInputStream(bytes);
            if (utf8) {
                properties.load(new InputStreamReader(stream, StandardCharsets.UTF_8));
            } else {
                properties.load(stream);
            }
            for (String key : properties.stringPropertyNames()) {
                pairs.put(key, properties.getProperty(key));
            }
            List<String> parts = new ArrayList<>();
            pairs.forEach((key, value) -> parts.add("[" + json(key) + "," + json(value) + "]"));
            answer = "[" + String.join(",", parts) + "]";
        } catch (Exception e) {
            answer = "null";
        }
        String input = new String(bytes, StandardCharsets.ISO_8859_1);
        out.add("{\"input\":" + json(input) + ",\"utf8\":" + utf8 + ",\"pairs\":" + answer + "}");
    }

    private static String json(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    private static final List<String> CASES = List.of(
        "", "\n", "a", "a\n", "a=", "a=b", "a:b", "a b", "a\tb", "a\fb", "a = b", "a : b", "a  =  b", "a == b", "a := b",
        "a =: b", "= b", ": b", " = b", "=", "a=b=c", "a=b:c", "a=b ", "a=b\t \f", " a=b", "\ta=b", "\fa=b", "a\\ b=c",
        "a\\=b=c", "a\\:b:c", "\\#a=b", "\\!a=b", "#a=b", "!a=b", " # a=b", "a=#b", "a=b # c", "a #b", "a=b#c", "a=b !c",
        "a=b\\\nc", "a=b\\\n   c", "a=b\\\n\n c=d", "a=b\\\r\n\tc", "a=b\\\rc", "a=b\\\n\rc=d", "a=b\\\\\nc=d", "a=b\\\\\\\nc=d",
        "a=\\\nb", "a\\\n=b", "a\\\nb=c", "a=b\\\n#c", "a=b\\\n # c", "\\\n#c\nd=e", "\\\n a=b", "\\\n\\\n a=b", "\\", "\\\\", "a\\",
        "a=\\", "a=b\\", "a=b\\\\", "a=b\\\n", "a=b\\\n\\", "#c\\\na=b", "!c\\\na=b", "#", "!", " ", "\f", "a\rb=c", "a=b\r\r\nc=d",
        "a=1\na=2", "a=1\nb=2\na=3", "a=\\t\\n\\r\\f", "a=\\b\\a\\x\\\"\\'", "a=C:\\temp\\new", "a=\\u0041", "a=\\u00e9", "a=\\u6b64",
        "a=\\uD83D\\uDE00", "a=\\ud83d\\ude00x", "\\u0041=b", "\\u0061\\u003d=b", "a\\u0020b=c", "a=\\u0020b", "a=b\\u0020", "a=\\u004", "a=\\u00",
        "a=\\u", "a=\\u004g", "a=\\U0041", "a=\\\\u0041", "a=\\\\\\u0041", "\\u00=1", "\\u004=1", "a=\\u\\\n0041", "a=\\u00\\\n41", "a=x\\uu0041",
        "k\u00e9y=v\u00e4l", "\u00ef\u00bb\u00bfa=b", "a=\u00a0b", "a\u00a0b=c", "a=\u0085b", "a=b\u0000c", "a=\u001ab", "a=b\u000bc", "a\u000bb=c",
        "a1.sources.r1.bind = slave3.hanli.com   #c", "a= \\ b", "a=\\ b", "a=b\\ ", "a\\\tb=c", "a\\\fb", "a==\\=b", "a\\\\=b", "a\\\\ b", "a\\\\\\=b",
        "a=b\\\n\\\n\\\nc", "a=b\\\n \\\n c", "a\\\n b\\\n c", "a \\\n= b", "a =\\\n = b", "a =\\\n b", "a \\\n \\\n : b", "x\ny\nz=1", "a=b\nc", "a=b\n\n\n\nc=d",
        "\\ =b", "\\==b", "\\\\u=b", "\\n=b", "a=\\\r\n\\\r\n b", "a=b\\\r\n\r\nc=d", "a=b\\ \nc=d", "a=b\\\f\nc=d", "a=#", "a #", "a\\#b #c");
}
