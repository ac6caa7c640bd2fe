//! Java's names of charsets, and what reads them.

use super::single::Unassigned;
use super::{Coding, Order};
use encoding_rs as web;

/// A charset's name, how it is read, and its other names; all in any case.
pub(super) type Row = (&'static str, Coding, &'static [&'static str]);

/// Of JDK 17, as testdata/JavaCharsets.java prints them.
#[rustfmt::skip]
pub(super) const CHARSETS: &[Row] = &[
    ("US-ASCII", Coding::Ascii, &["646", "ANSI_X3.4-1968", "ANSI_X3.4-1986", "ASCII", "IBM367", "ISO646-US", "ISO_646.irv:1991", "ascii7", "cp367", "csASCII", "default", "iso-ir-6", "iso_646.irv:1983", "us"]),
    ("ISO-8859-1", Coding::Latin1, &["819", "8859_1", "IBM-819", "IBM819", "ISO8859-1", "ISO8859_1", "ISO_8859-1", "ISO_8859-1:1987", "ISO_8859_1", "cp819", "csISOLatin1", "iso-ir-100", "l1", "latin1"]),
    ("UTF-8", Coding::Utf8, &["UTF8", "unicode-1-1-utf-8"]),
    ("UTF-16", Coding::Utf16(Order::Marked(true)), &["UTF_16", "UnicodeBig", "unicode", "utf16"]),
    ("UTF-16BE", Coding::Utf16(Order::Big), &["ISO-10646-UCS-2", "UTF_16BE", "UnicodeBigUnmarked", "X-UTF-16BE"]),
    ("UTF-16LE", Coding::Utf16(Order::Little), &["UTF_16LE", "UnicodeLittleUnmarked", "X-UTF-16LE"]),
    ("x-UTF-16LE-BOM", Coding::Utf16(Order::Marked(false)), &["UnicodeLittle"]),
    ("UTF-32", Coding::Utf32(Order::Marked(true)), &["UTF32", "UTF_32"]),
    ("UTF-32BE", Coding::Utf32(Order::Big), &["UTF_32BE", "X-UTF-32BE"]),
    ("UTF-32LE", Coding::Utf32(Order::Little), &["UTF_32LE", "X-UTF-32LE"]),
    ("GBK", Coding::Many(web::GBK), &["CP936", "windows-936"]),
    ("x-mswin-936", Coding::Many(web::GBK), &["ms936", "ms_936"]),
    ("GB2312", Coding::Many(web::GBK), &["EUC_CN", "euc-cn", "euccn", "gb2312-1980", "gb2312-80", "x-EUC-CN"]),
    ("GB18030", Coding::Many(web::GB18030), &["gb18030-2022"]),
    ("Big5", Coding::Many(web::BIG5), &["csBig5"]),
    ("Big5-HKSCS", Coding::Many(web::BIG5), &["Big5_HKSCS", "big5hk", "big5hkscs"]),
    ("x-windows-950", Coding::Many(web::BIG5), &["ms950", "windows-950"]),
    ("Shift_JIS", Coding::Many(web::SHIFT_JIS), &["csShiftJIS", "ms_kanji", "shift-jis", "sjis", "x-sjis"]),
    ("windows-31j", Coding::Many(web::SHIFT_JIS), &["MS932", "csWindows31J", "windows-932"]),
    ("EUC-JP", Coding::Many(web::EUC_JP), &["Extended_UNIX_Code_Packed_Format_for_Japanese", "csEUCPkdFmtjapanese", "euc_jp", "eucjis", "eucjp", "x-euc-jp", "x-eucjp"]),
    ("ISO-2022-JP", Coding::Many(web::ISO_2022_JP), &["csISO2022JP", "csjisencoding", "iso2022jp", "jis", "jis_encoding"]),
    ("EUC-KR", Coding::Many(web::EUC_KR), &["5601", "csEUCKR", "euc_kr", "euckr", "ks_c_5601-1987", "ksc5601", "ksc5601-1987", "ksc5601_1987", "ksc_5601"]),
    ("x-windows-949", Coding::Many(web::EUC_KR), &["ms949", "ms_949", "windows-949", "windows949"]),
    ("ISO-8859-2", Coding::Single(web::ISO_8859_2, Unassigned::Controls), &["8859_2", "912", "ISO8859-2", "ISO_8859-2", "ISO_8859-2:1987", "cp912", "csISOLatin2", "ibm-912", "ibm912", "iso-ir-101", "iso8859_2", "l2", "latin2"]),
    ("ISO-8859-3", Coding::Single(web::ISO_8859_3, Unassigned::Controls), &["8859_3", "913", "ISO8859-3", "ISO_8859-3", "ISO_8859-3:1988", "cp913", "csISOLatin3", "ibm-913", "ibm913", "iso-ir-109", "iso8859_3", "l3", "latin3"]),
    ("ISO-8859-4", Coding::Single(web::ISO_8859_4, Unassigned::Controls), &["8859_4", "914", "ISO_8859-4", "ISO_8859-4:1988", "cp914", "csISOLatin4", "ibm-914", "ibm914", "iso-ir-110", "iso8859-4", "iso8859_4", "l4", "latin4"]),
    ("ISO-8859-5", Coding::Single(web::ISO_8859_5, Unassigned::Controls), &["8859_5", "915", "ISO8859-5", "ISO_8859-5", "ISO_8859-5:1988", "cp915", "csISOLatinCyrillic", "cyrillic", "ibm-915", "ibm915", "iso-ir-144", "iso8859_5"]),
    ("ISO-8859-6", Coding::Single(web::ISO_8859_6, Unassigned::Controls), &["1089", "8859_6", "ASMO-708", "ECMA-114", "ISO8859-6", "ISO_8859-6", "ISO_8859-6:1987", "arabic", "cp1089", "csISOLatinArabic", "ibm-1089", "ibm1089", "iso-ir-127", "iso8859_6"]),
    ("ISO-8859-7", Coding::Single(web::ISO_8859_7, Unassigned::Controls), &["813", "8859_7", "ECMA-118", "ELOT_928", "ISO_8859-7", "ISO_8859-7:1987", "cp813", "csISOLatinGreek", "greek", "greek8", "ibm-813", "ibm813", "iso-ir-126", "iso8859-7", "iso8859_7", "sun_eu_greek"]),
    ("ISO-8859-8", Coding::Single(web::ISO_8859_8, Unassigned::Controls), &["8859_8", "916", "ISO8859-8", "ISO_8859-8", "ISO_8859-8:1988", "cp916", "csISOLatinHebrew", "hebrew", "ibm-916", "ibm916", "iso-ir-138", "iso8859_8"]),
    ("ISO-8859-9", Coding::Single(web::WINDOWS_1254, Unassigned::Controls), &["8859_9", "920", "ISO8859-9", "ISO_8859-9", "ISO_8859-9:1989", "cp920", "csISOLatin5", "ibm-920", "ibm920", "iso-ir-148", "iso8859_9", "l5", "latin5"]),
    ("ISO-8859-13", Coding::Single(web::ISO_8859_13, Unassigned::Controls), &["8859_13", "ISO8859-13", "iso8859_13", "iso_8859-13"]),
    ("ISO-8859-15", Coding::Single(web::ISO_8859_15, Unassigned::Controls), &["8859_15", "923", "IBM-923", "IBM923", "ISO8859-15", "ISO8859_15", "ISO8859_15_FDIS", "ISO_8859-15", "L9", "LATIN0", "LATIN9", "Latin-9", "cp923", "csISO885915", "csISOlatin0", "csISOlatin9"]),
    ("ISO-8859-16", Coding::Single(web::ISO_8859_16, Unassigned::Controls), &["ISO8859_16", "ISO_8859-16", "ISO_8859-16:2001", "csISO885916", "iso-ir-226", "l10", "latin10"]),
    ("KOI8-R", Coding::Single(web::KOI8_R, Unassigned::Free), &["cskoi8r", "koi8", "koi8_r"]),
    ("KOI8-U", Coding::Single(web::KOI8_U, Unassigned::Free), &["koi8_u"]),
    ("IBM866", Coding::Single(web::IBM866, Unassigned::Free), &["866", "cp866", "csIBM866", "ibm-866"]),
    ("windows-1250", Coding::Single(web::WINDOWS_1250, Unassigned::Free), &["cp1250", "cp5346"]),
    ("windows-1251", Coding::Single(web::WINDOWS_1251, Unassigned::Free), &["ansi-1251", "cp1251", "cp5347"]),
    ("windows-1252", Coding::Single(web::WINDOWS_1252, Unassigned::Free), &["cp1252", "cp5348", "ibm-1252", "ibm1252"]),
    ("windows-1253", Coding::Single(web::WINDOWS_1253, Unassigned::Free), &["cp1253", "cp5349"]),
    ("windows-1254", Coding::Single(web::WINDOWS_1254, Unassigned::Free), &["cp1254", "cp5350"]),
    ("windows-1255", Coding::Single(web::WINDOWS_1255, Unassigned::Free), &["cp1255"]),
    ("windows-1256", Coding::Single(web::WINDOWS_1256, Unassigned::Free), &["cp1256"]),
    ("windows-1257", Coding::Single(web::WINDOWS_1257, Unassigned::Free), &["cp1257", "cp5353"]),
    ("windows-1258", Coding::Single(web::WINDOWS_1258, Unassigned::Free), &["cp1258"]),
    ("x-windows-874", Coding::Single(web::WINDOWS_874, Unassigned::Free), &["ms-874", "ms874", "windows-874"]),
    ("TIS-620", Coding::Single(web::WINDOWS_874, Unassigned::Empty), &["tis620", "tis620.2533"]),
    ("x-MacRoman", Coding::Single(web::MACINTOSH, Unassigned::Free), &["MacRoman"]),
];
