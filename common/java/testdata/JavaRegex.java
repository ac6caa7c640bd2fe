import java.util.*;
import java.util.regex.*;

/**
 * Prints what java.util.regex finds, one case a line, as java_regex.tsv holds them: pattern TAB text TAB finds. A find is
 * the match and its groups as from-to in UTF-8 bytes, "-" for a group that took no part; finds are parted by ";". "!" is a
 * pattern that Java refuses, "." one that is not found. %HEX; stands for a character that would break the line.
 *
 * java JavaRegex.java 7 > java_regex.tsv    (JDK 17; 7 is the seed of the random part)
 */
public class JavaRegex {
  static final String[][] WRITTEN = {
      {"^((?!ebooks).)*$", "GET /ebooks/1", "GET /papers/1", ""},
      {"(?<=user=)\\w+(?=&)", "a?user=bob&x", "user=bob"}, {"(?<!\\d)\\d{3}(?!\\d)", "1234 567"},
      {"(a+)+b\\1", "aabaa", "aab"}, {"(?<q>['\"]).*?\\k<q>", "x 'a\"b' y"}, {"(?i)(ab)\\1", "abAB"},
      {"a*+a", "aaa"}, {"(?>a|ab)c", "abc ac"}, {"\"[^\"]*+\"", "x\"abc\"", "\"abc"}, {"x{2,3}+x", "xxx xxxx"},
      {"(\\w)(\\w)\\2\\1", "abba"}, {"(a)\\11", "aa1"}, {"\\1(a)", "aa"}, {"(?=(\\w+))\\1:", "abc:"},
      {"abc$", "abc\n", "abc\r\n", "abc\r", "abc\u0085", "abc\u2028", "abc\n\n", "abc"}, {"(?s)(.*?)$", "abc\n"},
      {"(?s)(.*)$", "abc\n"}, {"a$\n", "a\n"}, {"a\\Z\r", "a\r\n"}, {"$", "ab\n", "\r\n", "\n"}, {"\\Z", "a\r\n"},
      {"(?m)^", "", "\n", "a\n", "a\nb", "a\r\nb\rc\u2028d\u0085e"}, {"(?m)$", "a\r\nb", "a\u2029b\n", "\n\r"},
      {"(?m)^\\w+$", "ab\ncd\r\nef\rgh\u0085ij\u2028kl\n"}, {"(?d)a$", "a\r", "a\n"}, {"(?dm)^\\w+$", "a\rb\nc\n"},
      {"(?d).+", "a\rb\nc"}, {".+", "a\u0085b\rc\u2028d"}, {"(?s).", "\n\ud83d\ude00"}, {"(?m)^(?:a|$)", "a\n\nb"},
      {"(?i)\u00e9", "\u00c9\u00e9"}, {"(?iu)\u00e9", "\u00c9\u00e9"}, {"(?i)[\u00e0-\u00f0]", "\u00c9\u00e9"},
      {"(?iu)[\u00e0-\u00f0]", "\u00c9\u00e9"}, {"(?i)k", "kK\u212a"}, {"(?iu)k", "kK\u212a"}, {"(?i)[a-f]+", "abCDxEf"},
      {"(?i)[^a]+", "aAbB"}, {"(?iu)i", "iI\u0131\u0130"}, {"(?iu)[i]", "iI\u0131\u0130"}, {"(?i)s", "s\u017f"},
      {"(?iU)\u00c9\\w", "\u00e9\u00e9"}, {"(?U)(?-U)\\w", "\u00e9"}, {"a(?i)b(?-i)c", "aBc aBC"}, {"((?i)a|b)a", "Ba Aa AA"},
      {"(?i)\\p{Lower}", "aA\u00e9"}, {"(?i)\\p{Lu}", "aA\u00e9"}, {"(?i)\\p{javaUpperCase}", "aA1"}, {"(?i)\\x41", "aA"},
      {"\\w+", "\u00e9a_1-"}, {"\\d", "\u0663 4"}, {"\\s+", "a \t\u00a0\u000bb"}, {"\\S", "\u00a0"}, {"\\h+", "a\u3000\u00a0 b"},
      {"\\v", "\u2028"}, {"\\V+", "ab\n"}, {"\\H", " a"}, {"a\\Rb", "a\r\nb", "a\rb", "a\u2028b"}, {"\\R\\n", "\r\n"},
      {"(?U)\\w+", "\u00e9\u0663-"}, {"(?U)\\d", "\u0663"}, {"(?U)\\s", "\u00a0"}, {"(?U)\\p{Alpha}+", "\u00e9a1"},
      {"(?U)\\p{Punct}", "$.\u00bf"}, {"(?U)\\p{Lower}\\p{Upper}", "\u00e9\u00c9"}, {"(?U)\\p{Blank}", "\u3000"},
      {"(?U)\\p{Graph}+", "\u00e9 \u0001"}, {"(?U)\\p{Print}+", "\u00e9 \u00a0\n"}, {"(?U)\\p{XDigit}+", "fF\u0663g"},
      {"\\bfoo\\b", "xfoo foo."}, {"\\b", "a \u00e9 b"}, {"\\B", "ab "}, {"(?U)\\b\u00e9", "\u00e9"},
      {"\\p{Alpha}+", "\u00e9ab"}, {"\\p{L}+", "1\u00e9ab"}, {"\\p{IsHan}+", "a\u4f60\u597d"}, {"\\pL\\PL", "1a2"},
      {"\\p{Punct}+", "a[~]b$"}, {"\\P{Digit}+", "12ab3"}, {"\\p{javaLowerCase}+", "a\u00e9B"}, {"\\p{IsAlphabetic}+", "a\u00e91"},
      {"\\p{script=Latin}+", "a\u00e9\u03b1"}, {"\\p{gc=Lu}", "aB"}, {"\\p{InGreek}", "a\u03b1"}, {"\\p{javaWhitespace}+", "a \u00a0\u001c"},
      {"\\p{LC}", "a"}, {"\\p{L1}+", "a\u00e9\u03b1"}, {"\\p{IsWhite_Space}", "\u0085"}, {"\\p{IsPunctuation}", ".$"},
      {"\\p{isalphabetic}", "a"}, {"\\p{IsLatin}", "a"}, {"\\p{Greek}", "\u03b1"}, {"\\p{lu}", "A"}, {"\\p{Nonsense}", "a"},
      {"\\p{javaMirrored}", "("}, {"\\p{IsEmoji}", "\ud83d\ude00"}, {"\\p{}", "a"}, {"\\p{", "a"}, {"\\p{all}", "a"},
      {"[a-c&&[^b]]+", "bcab"}, {"[a[x-z]]+", "bxay"}, {"[\\w-.]+", "*a-b.c*"}, {"[a-]+", "b-a"}, {"[]a]+", "b]a"},
      {"[^]a]+", "]ab"}, {"[~~a]+", "b~a"}, {"[a--b]+", "a-b"}, {"[[:alpha:]]+", "xyz:alp"}, {"[^a[b]]", "bac"},
      {"[^a[^b]]", "ab"}, {"[&&a]", "a"}, {"[a&&^a]", "^a"}, {"[a&b]", "&"}, {"[a-z&&[def]&&[^e]]", "abdef"},
      {"[a-z&&def]", "abdef"}, {"[^a-z&&[def]]", "abdef1"}, {"[a-[b]]", "-b"}, {"[a-\\d]", "a"}, {"[\\d-z]", "-1a"},
      {"[z-a]", "a"}, {"[\\b]", "b"}, {"[]", "]"}, {"[^]", "^"}, {"[a", "a"}, {"[\\Q^-]\\E]+", "a^-]"}, {"[\\]\\[]", "[]"},
      {"[\\p{L}&&[^\\p{InGreek}]]+", "ab\u03b1"}, {"[\\P{L}\\P{N}]", "a1."}, {"[^\\W_]+", "__ab"}, {"[\\D\\S]", "1 "},
      {"\\Qa.b\\E+", "aab a.bb"}, {"\\Qa", "a"}, {"\\Q\\E+", "+"}, {"\\E", "a"}, {"\\Q(\\E(", "("},
      {"\\x41\\u0042\\x{43}\\0104", "ABCD"}, {"\\uD83D\\uDE00", "x\ud83d\ude00"}, {"\\t\\e\\a\\cA", "\t\u001b\u0007\u0001"},
      {"\\0378", "\u001f8"}, {"\\0400", "\u0020\u0030"}, {"\\08", "a"}, {"\\x4", "a"}, {"\\u00e", "a"}, {"\\x{110000}", "a"},
      {"\\_\\-\\/", "_-/"}, {"\\y", "y"}, {"\\c", "a"}, {"a\\", "a"},
      {"(?x) a b # c (\n c", "abc"}, {"(?x: a [ b ] )c", "xabc"}, {"(?x)[a #b\n c]", "#c"}, {"(?x)a+ +a", "aaa"},
      {"(?x)a {2}", "aa"}, {"(?x)\\ a", " a"}, {"(?xd)a#\rb\nc", "ac"}, {"(?x)a#\u0085b", "ab"}, {"(?x)( ?:a)b", "ab"},
      {"a{2}{3}", "aaaaaaa"}, {"a*{2}", "aaa"}, {"{2}", "a"}, {"a|{2}", "a"}, {"a{2}+", "aaa"}, {"a{,3}", "a"}, {"a{2,1}", "a"},
      {"a{x}", "a"}, {"a{", "a"}, {"a{1}{", "a"}, {"^*a", "aa"}, {"(?=a)*b", "b"}, {"(?=a)+ab", "ab"}, {"$*a", "a"}, {"a**", "a"},
      {"(?i)*", "a"}, {"a(?i)*", "a"}, {"*a", "a"}, {"a|*", "a"}, {"(*a)", "a"}, {"a*?+", "a"}, {"x{0}", "x"}, {"a??b", "ab"},
      {"]}", "]}"}, {"a)", "a"}, {"(a", "a"}, {"(?<1a>b)", "b"}, {"(?<a_b>b)", "b"}, {"(?<a>b)(?<a>c)", "bc"}, {"(?<a>b)\\k<c>", "b"},
      {"(?y)a", "a"}, {"(?", "a"}, {"(?)a", "a"}, {"(?-i)a", "A"}, {"(?i-s:.A)", "xa"}, {"(?--i)a", "a"}, {"(?P<n>a)", "a"},
      {"", "abc", "\u00e9"}, {"x*", "aab"}, {"a|ab", "ab"}, {"(a)|(b)", "b"}, {"()", "a"}, {"a||b", "b"}, {"(|a)b", "ab"},
      {"(a*)*", "b"}, {"(a|b*)*", "ab"}, {"(?:a*)*b", "aab"}, {"(?<=a)b|c", "abcb"}, {"(?<=\\n)a", "\na"}, {"(?<=^|,)x", "x,x"},
      {"(?<!a)(?<!b)c", "acbcc"}, {"(?!a)b*", "abb"}, {"(?=.*\\d)(?=.*[a-z])\\w{4,}", "abc1 abcd"}, {"(?<=a{1,3})b", "aab"},
      {"(\\d+)-(?!\\1)\\d+", "12-12 12-13"}, {"(?<y>\\d{4})-(?<m>\\d\\d)", "at 2024-05"}, {"\\/\\-\\ \\<\\>", "/- <>"}, {"a#b", "a#b"},
  };
  static final String[] ATOMS = {"a", "b", "A", "\u00e9", "1", " ", ".", "[ab]", "[^a]", "[a-c&&[^b]]", "[A-Z\u00e9]", "\\w", "\\d",
      "\\s", "\\W", "\\p{L}", "\\p{Upper}", "\\p{Lower}", "\\h", "\\Qa.\\E", "\\x61", "[\\w&&[^1]]", "[^\\s\u00c9]", "\\R", "\\n", "-"};
  static final String[] BORDERS = {"^", "$", "\\b", "\\B", "\\Z", "\\z", "\\A"};
  static final String[] FLAGS = {"", "", "", "(?i)", "(?iu)", "(?m)", "(?s)", "(?d)", "(?md)", "(?U)", "(?ms)", "(?im)", "(?x)"};
  static final String[] PIECES = {"a", "b", "A", "B", "\u00e9", "\u00c9", "1", " ", ".", "-", "\n", "\r\n", "\r", "\u0085",
      "\u2028", "aab", "a1", "\u4f60", "\ud83d\ude00", "ab", "ba"};

  static Random random;
  static int groups;

  public static void main(String[] args) {
    random = new Random(Long.parseLong(args[0]));
    StringBuilder out = new StringBuilder();
    for (String[] row : WRITTEN)
      for (int n = 1; n < row.length; n++) add(out, row[0], row[n]);
    for (int n = 0; n < 700; n++) {
      groups = 0;
      String pattern = FLAGS[random.nextInt(FLAGS.length)] + alternatives(0);
      for (int m = 0; m < 2; m++) {
        StringBuilder text = new StringBuilder();
        for (int left = random.nextInt(9); left > 0; left--) text.append(PIECES[random.nextInt(PIECES.length)]);
        // In a look-behind Java counts the halves of such a character.
        if (!pattern.contains("(?<") || text.indexOf("\ud83d") < 0) add(out, pattern, text.toString());
      }
    }
    System.out.write(out.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8), 0,
        out.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
    System.out.flush();
  }

  static String alternatives(int depth) {
    String text = sequence(depth);
    while (random.nextInt(4) == 0) text += "|" + sequence(depth);
    return text;
  }

  static String sequence(int depth) {
    StringBuilder text = new StringBuilder();
    for (int left = 1 + random.nextInt(3); left > 0; left--) text.append(item(depth));
    return text.toString();
  }

  static String item(int depth) {
    int choice = random.nextInt(depth < 2 ? 16 : 9);
    if (choice < 6) return ATOMS[random.nextInt(ATOMS.length)] + quantifier();
    if (choice < 8) return BORDERS[random.nextInt(BORDERS.length)];
    if (choice == 8) return groups == 0 ? "a" : "\\" + (1 + random.nextInt(groups));
    if (choice < 11) {
      groups++;
      // Something that cannot be empty stands in front: what a group in a repeat holds is else a matter of taste.
      return "(" + ATOMS[random.nextInt(ATOMS.length)] + alternatives(depth + 1).replace("|", "|b") + ")" + quantifier();
    }
    if (choice == 11) return "(?:" + ATOMS[random.nextInt(ATOMS.length)] + sequence(depth + 1) + ")" + quantifier();
    if (choice == 12) return "(?>" + alternatives(depth + 1) + ")";
    if (choice == 13) return (random.nextBoolean() ? "(?=" : "(?!") + plain() + ")";
    if (choice == 14) return (random.nextBoolean() ? "(?<=" : "(?<!") + plain() + ")";
    return "(?i:" + ATOMS[random.nextInt(ATOMS.length)] + ")";
  }

  static String plain() {
    String text = ATOMS[random.nextInt(ATOMS.length)];
    return random.nextBoolean() ? text : text + ATOMS[random.nextInt(ATOMS.length)];
  }

  static String quantifier() {
    String[] all = {"", "", "", "*", "+", "?", "{2}", "{1,2}", "*?", "+?", "??", "*+", "++", "?+", "{1,2}+"};
    return all[random.nextInt(all.length)];
  }

  static void add(StringBuilder out, String pattern, String text) {
    out.append(escaped(pattern)).append('\t').append(escaped(text)).append('\t').append(finds(pattern, text)).append('\n');
  }

  static String finds(String pattern, String text) {
    try {
      Matcher matcher = Pattern.compile(pattern).matcher(text);
      List<String> finds = new ArrayList<>();
      while (matcher.find()) {
        List<String> groups = new ArrayList<>();
        for (int n = 0; n <= matcher.groupCount(); n++) {
          groups.add(matcher.start(n) < 0 ? "-" : bytes(text, matcher.start(n)) + "-" + bytes(text, matcher.end(n)));
        }
        // Java also finds nothing at all between the halves of a character beyond the first 65,536.
        boolean halved = matcher.start() > 0 && matcher.start() < text.length()
            && Character.isSurrogatePair(text.charAt(matcher.start() - 1), text.charAt(matcher.start()));
        if (!halved) finds.add(String.join(",", groups));
      }
      return finds.isEmpty() ? "." : String.join(";", finds);
    } catch (PatternSyntaxException refused) {
      return "!";
    }
  }

  static int bytes(String text, int chars) {
    return text.substring(0, chars).getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
  }

  static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    for (char unit : text.toCharArray()) {
      boolean breaks = unit < ' ' || unit == '%' || unit == 0x7f || unit == 0x85 || unit == 0x2028 || unit == 0x2029 || unit == 0xa0;
      if (breaks) out.append('%').append(Integer.toHexString(unit)).append(';');
      else out.append(unit);
    }
    return out.toString();
  }
}
