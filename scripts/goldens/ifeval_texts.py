"""Texts for ifeval.py: written ones, each for a rule of a checker, and made-up responses in IFEval's formats."""

import random

# Two sentences in each language that IFEval asks for, and in others near them.
LANGUAGES = {
    "en": "The weather was cold this morning, so we stayed at home. Later my brother made a large pot of soup for us.",
    "de": "Das Wetter war heute Morgen kalt, also blieben wir zu Hause. Später kochte mein Bruder eine große Suppe.",
    "it": "Questa mattina faceva freddo e siamo rimasti a casa. Più tardi mio fratello ha preparato una zuppa per noi.",
    "pt": "Esta manhã estava frio e ficamos em casa. Mais tarde o meu irmão fez uma panela grande de sopa para nós.",
    "es": "Esta mañana hacía frío y nos quedamos en casa. Más tarde mi hermano hizo una gran olla de sopa.",
    "fr": "Il faisait froid ce matin, alors nous sommes restés à la maison. Plus tard mon frère a préparé une soupe.",
    "fi": "Sää oli tänä aamuna kylmä, joten jäimme kotiin. Myöhemmin veljeni keitti meille ison kattilallisen keittoa.",
    "sw": "Hali ya hewa ilikuwa baridi asubuhi ya leo, kwa hiyo tulikaa nyumbani. Baadaye ndugu yangu alipika supu.",
    "vi": "Sáng nay trời lạnh nên chúng tôi ở nhà. Sau đó anh trai tôi nấu một nồi súp lớn cho cả gia đình.",
    "ru": "Сегодня утром было холодно, поэтому мы остались дома. Позже мой брат приготовил большую кастрюлю супа.",
    "bg": "Тази сутрин беше студено и затова останахме вкъщи. По-късно брат ми сготви голяма тенджера супа.",
    "ar": "كان الطقس باردا هذا الصباح فبقينا في البيت. وبعد ذلك أعد أخي قدرا كبيرا من الحساء لنا.",
    "fa": "امروز صبح هوا سرد بود و ما در خانه ماندیم. بعد برادرم یک قابلمه بزرگ سوپ برای ما درست کرد.",
    "ur": "آج صبح موسم سرد تھا اس لیے ہم گھر میں رہے۔ بعد میں میرے بھائی نے ہمارے لیے سوپ بنایا۔",
    "hi": "आज सुबह मौसम ठंडा था इसलिए हम घर पर रहे। बाद में मेरे भाई ने हमारे लिए सूप बनाया।",
    "mr": "आज सकाळी हवामान थंड होते म्हणून आम्ही घरी राहिलो. नंतर माझ्या भावाने आमच्यासाठी सूप बनवले.",
    "ne": "आज बिहान मौसम चिसो थियो त्यसैले हामी घरमा बस्यौं। पछि मेरो भाइले हाम्रो लागि सुप बनायो।",
    "bn": "আজ সকালে আবহাওয়া ঠান্ডা ছিল তাই আমরা বাড়িতে ছিলাম। পরে আমার ভাই আমাদের জন্য স্যুপ তৈরি করল।",
    "gu": "આજે સવારે હવામાન ઠંડું હતું તેથી અમે ઘરે રહ્યા. પછી મારા ભાઈએ અમારા માટે સૂપ બનાવ્યો.",
    "pa": "ਅੱਜ ਸਵੇਰੇ ਮੌਸਮ ਠੰਡਾ ਸੀ ਇਸ ਲਈ ਅਸੀਂ ਘਰ ਰਹੇ। ਬਾਅਦ ਵਿੱਚ ਮੇਰੇ ਭਰਾ ਨੇ ਸਾਡੇ ਲਈ ਸੂਪ ਬਣਾਇਆ।",
    "ta": "இன்று காலை வானிலை குளிராக இருந்தது, அதனால் நாங்கள் வீட்டில் இருந்தோம். பிறகு என் அண்ணன் சூப் செய்தார்.",
    "te": "ఈ ఉదయం వాతావరణం చల్లగా ఉంది కాబట్టి మేము ఇంట్లోనే ఉన్నాము. తరువాత మా అన్నయ్య సూప్ చేశాడు.",
    "kn": "ಇಂದು ಬೆಳಿಗ್ಗೆ ಹವಾಮಾನ ತಂಪಾಗಿತ್ತು ಆದ್ದರಿಂದ ನಾವು ಮನೆಯಲ್ಲಿ ಇದ್ದೆವು. ನಂತರ ನನ್ನ ಅಣ್ಣ ಸೂಪ್ ಮಾಡಿದನು.",
    "th": "เช้านี้อากาศหนาวเราจึงอยู่บ้าน หลังจากนั้นพี่ชายของฉันก็ทำซุปหม้อใหญ่ให้พวกเรา",
    "ko": "오늘 아침은 날씨가 추워서 우리는 집에 있었습니다. 나중에 형이 우리를 위해 수프를 만들었습니다.",
    "ja": "今朝は寒かったので、私たちは家にいました。その後、兄が私たちのために大きな鍋でスープを作りました。",
    "ro": "În această dimineață a fost frig și țara era albă, așa că am rămas acasă. Fratele meu știe să gătească supă.",
    "tr": "Bu sabah hava soğuktu, bu yüzden evde kaldık. Daha sonra İstanbul'dan gelen kardeşim bize çorba yaptı.",
}

WRITTEN = [
    # Abbreviations, initials, numbers, ellipses, collocations.
    "Mr. Smith met Dr. Jones on Jan. 5. They spoke. J. S. Bach wrote it, e.g. the fugue.",
    "He works at Acme Inc. The office is in the U.S. It pays $3.50 an hour. Fine.",
    "Wait... What? No . . . nothing. And so on ... then he left. etc. And more.",
    "It cost No. 5. 3 men came. The 2nd. Chapter 4. 12 pages. vs. him and vs. Him.",
    "The end of line one\nis here. And\n\nthe next.\nNo mark here\nBut a new line",
    'He said "go." Then "Why?" she asked. "Stop!" (He did.) [So it ends.] Yes.)',
    "He said “go.” Then ‘why?’ she asked. “Stop!” «Ende.» Yes!!! Really?!? OK.",
    "a.m. is before p.m. It is 5 p.m. and 6 a.m. He left at 7 p.m. Then Monday came.",
    "One.Two.Three. four. Five?six! Seven:eight; nine -- ten. -Eleven. 3.14 is pi. v1.2.3.",
    "  Leading space. Trailing space.  \n ",
    "Ph.D. students, i.e. those of St. Louis, Mo. and Calif. and so on. Gen. Lee. Sen. No.",
    "Line with\r\nCRLF ends. Another\r\none.\r\n\r\nParagraph two.\r\n* bullet\r\n- dash\r\n",
    "Nothing",
    "?",
    "...",
    "1. First item. 2. Second item. 3. Third.",
    "See (Fig. 3). and Sec. 4.2. He is no. 1! i. ii. iii. A. B. C. a) b)",
    # Words in capitals: clitics, contractions, dashes, quotes, slashes, numbers.
    "I'M HERE. DON'T GO. SHE'S AND THEY'LL, WE'VE. It's O'CLOCK. DOGS' 'TIS 'TWAS CANNOT GONNA",
    "A-B C--D E—F G–H I/J K&L M@N O#P Q$R S%T U:V W,X Y;Z 1A A1 A,1 B:2 'QUOTED' \"DOUBLE\" ``TICK''",
    "NASA's U.S.A. U.K.'s HELLO!WORLD? (PAREN)[BRACKET]{BRACE}<ANGLE> STAR*STAR **BOLD** ÉCOLE ΑΒΓ МИР ǅ ẞ",
    "I AM. I'M. HE SAID 'NO'. WANNA GO, D'YE, MORE'N LEMME GIMME GOTTA CAN'T'VE SHOULDN'T'S",
    "A...B A..B A.B. «ÜBER» „UNTEN“ ‘SINGLE’S’ IT’S X'Y 'S-'T -'A B'",
    "ALL OF THIS IS WRITTEN IN CAPITAL LETTERS, AND IT IS ENGLISH TEXT TO BE SURE.",
    "all of this is written in small letters, and it is english text to be sure.",
    "42 $$$ ...",
    "A",
    "\u00a0\u3000 odd\u2003white\u0085space\x1cseparators \ufeffmark\u200b.",
    # JSON, fences, titles, placeholders, postscripts, sections, paragraphs, two responses.
    '{"a": [1, 2.5e3, true, null, "x\\n"]}',
    '```json\n{"a": 1}\n```',
    '```JSON\n[1, 2]```',
    "```\n\"text\"\n```",
    '{"a": NaN, "b": -Infinity, "c": "NaN"}',
    "{'a': 1}",
    '{"a": 1,}',
    "```python\n{}\n```",
    "<<A title>>\nText",
    "<< >> and <<>>\n<<\n>>",
    "<<<Deep>>> [name] [address] []\n[open\nclosed] [[nested]]",
    "Text.\nP.S. More",
    "Text.\nP.P.S More",
    "Text p. s. and p.p. s and p.  s.",
    "Section 1\nText\nSection 2\nText Section3 SECTION 4 Section IV section 5 Section ٣",
    "Day 1 a\nDay 2 b\nDay  3 c",
    "One\n***\nTwo\n***\nThree",
    "***One***Two***",
    "One\n***\n***\nTwo",
    "One ****** Two",
    "******Same******Same",
    "******One******Two******",
    "A******\n******B",
    "* one\n* two\n- three\n** bold **\n*italic*\n-- dash\n\n\n  * four\n*\nfive",
    "*one* and **two** and * * and ** ** and ***three*** and *four\n*",
    "\"Wrapped in quotes.\"",
    "\"",
    "\"\"",
    "Not \"wrapped\"",
    "My answer is yes.",
    "Well, My answer is no. Sorry.",
    "my answer is maybe.",
    "First line\n*The* ALL of it\nlast line",
    "Weekend is here\n\n\"Second's paragraph\n\n\n\nThird, one\n\n'quoted' first",
    "\n\nweekend, again\n\n \n\nend",
    "Is there anything else I can help with?\"",
    "kelvin K ſharp Straße ISTANBUL İstanbul ıIiİ wordword word_word word-word café",
    "Visit https://example.com/A_B?c=d or mail me@example.org now NOW.",
]

FRAGMENTS = [
    "The garden is quiet.",
    "Dr. Lee arrived at 5 p.m. on Monday.",
    "What a day!",
    "Is it so?",
    'She said "no."',
    "It cost $3.50, or so.",
    "I CAN'T BELIEVE IT.",
    "NASA and the U.S. agreed",
    "*highlighted text*",
    "**bold text**",
    "<<Title>>",
    "[placeholder]",
    "Section 2",
    "the river and the stone, the wind",
    "P.S. Write soon.",
    "P.P.S And again.",
    "My answer is maybe.",
    "***",
    "******",
    "* item",
    "- item",
    "etc. and so on...",
    "Word word WORD",
    "“Curly,” he said.",
    "e.g. this (and that).",
    "J. K. Rowling wrote No. 7.",
    "12. 5",
    "it's o'clock; don't",
    "the end.",
]
JOINTS = [" ", " ", " ", "\n", "\n\n", "  ", "\r\n", ""]


def made_up(i):
    choose = random.Random(f"response {i}")
    text = "".join(choose.choice(FRAGMENTS) + choose.choice(JOINTS) for _ in range(choose.randint(1, 12)))
    if i % 9 == 0:
        text = text.upper()
    if i % 11 == 0:
        text = text.lower()
    if i % 7 == 0:
        text = f'"{text.strip()}"'
    return text


def mixed(language, i):
    choose = random.Random(f"mixed {language} {i}")
    words = LANGUAGES[language].split(" ") + LANGUAGES[choose.choice(list(LANGUAGES))].split(" ")[:6]
    return " ".join(choose.sample(words, choose.randint(2, len(words))))


def texts():
    return [
        *WRITTEN,
        *LANGUAGES.values(),
        *(mixed(language, i) for language in LANGUAGES for i in range(2)),
        *(made_up(i) for i in range(120)),
    ]
