import json
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.names import fold
from app.domain.territories import expand, match, run_together, suggest, territories

# What one text is allowed to stand for, beside the one code.
AMBIGUOUS = [
    {"CD", "CG"},
    {"KP", "KR"},
    {"VG", "VI"},
    {"MF", "SX"},
    {"GB", "GB-ENG"},
    {"CSHH", "CSXX"},
]

# As tables of statistics, maps and old books write them.
ABBREVIATED = """
Solomon Is.=SB|The Solomons=SB|Marshall Is.=MH|Cook Is.=CK|Cayman Is.=KY|Caymans=KY|Faeroes=FO
Micronesia, Fed. Sts.=FM|Korea, Dem. Rep.=KP|Dem. People's Rep. Korea=KP|DPR of Korea=KP
Rep. of Korea=KR|Republic of Korea (South)=KR|Egypt, Arab Rep.=EG|Iran, Islamic Rep.=IR
Yemen, Rep.=YE|Venezuela, RB=VE|Syrian Arab Rep.=SY|Central African Rep.=CF|Eq. Guinea=GQ
Bosnia and Herz.=BA|S. Sudan=SS|W. Sahara=EH|N. Cyprus=CY-N|United Rep. of Tanzania=TZ
Democratic Rep. of Congo=CD|Dem. Rep. Congo=CD|Republic of the Congo (Brazzaville)=CG
Utd. Arab Emirates=AE|United Arab Emirates (UAE)=AE|Emirates, United Arab=AE
United States of America (USA)=US|West Bank and Gaza=PS|Palestinian National Authority=PS
St Barts=BL|Saint Barts=BL|Tobago=TT|Oriental Republic of Uruguay=UY|Dominion of Canada=CA
Mongolian People's Republic=MN|Outer Mongolia=MN|Formosa=TW|Hindustan=IN|Helvetia=CH|Zhongguo=CN
Hanguk=KR|Shqipëria=AL|East Pakistan=BD|British Guiana=GY|Portuguese Guinea=GW|BRICS+=BRICS
"""

ENGLISH = """
United States=US|USA=US|U.S.=US|U.S.A.=US|us=US|America=US|the States=US|UK=GB|U.K.=GB
United States of America=US|the United States=US|Britain=GB|Great Britain=GB|United Kingdom=GB
Russia=RU|Russian Federation=RU|Emirates=AE|UAE=AE|United Arab Emirates=AE|the UAE=AE|U.A.E.=AE
Saudi Arabia=SA|KSA=SA|Saudi=SA|Kingdom of Saudi Arabia=SA|China=CN|PRC=CN|Mainland China=CN
People's Republic of China=CN|Peoples Republic of China=CN|P.R. China=CN
Iran=IR|Islamic Republic of Iran=IR|Iran, Islamic Republic of=IR|Iran (Islamic Republic of)=IR
Syria=SY|Syrian Arab Republic=SY|Turkey=TR|Türkiye=TR|Turkiye=TR|Republic of Türkiye=TR
South Korea=KR|ROK=KR|Republic of Korea=KR|Korea, Republic of=KR|Korea, South=KR|Korea (South)=KR
North Korea=KP|DPRK=KP|Democratic People's Republic of Korea=KP|Korea, North=KP|N. Korea=KP
DRC=CD|DR Congo=CD|Congo-Kinshasa=CD|Congo (Kinshasa)=CD|Democratic Republic of Congo=CD
Democratic Republic of the Congo=CD|Congo, Democratic Republic of the=CD|D.R. Congo=CD
Congo-Brazzaville=CG|Congo (Brazzaville)=CG|Republic of the Congo=CG|Republic of Congo=CG
Ivory Coast=CI|Cote d'Ivoire=CI|Côte d’Ivoire=CI|Czechia=CZ|Czech Republic=CZ|the Czech Republic=CZ
Slovakia=SK|Slovak Republic=SK|Myanmar=MM|Burma=MM|Swaziland=SZ|Eswatini=SZ|eSwatini=SZ
Macedonia=MK|North Macedonia=MK|FYROM=MK|The former Yugoslav Republic of Macedonia=MK
Cape Verde=CV|Cabo Verde=CV|East Timor=TL|Timor-Leste=TL|Timor Leste=TL|Holland=NL
The Netherlands=NL|Netherlands=NL|Vatican=VA|Vatican City=VA|Holy See=VA|the Holy See=VA
The Gambia=GM|Gambia=GM|Gambia, The=GM|The Bahamas=BS|Bahamas=BS|Laos=LA|Lao PDR=LA
Lao People's Democratic Republic=LA|Vietnam=VN|Viet Nam=VN|Brunei=BN|Brunei Darussalam=BN
Moldova=MD|Moldavia=MD|Republic of Moldova=MD|Moldova, Republic of=MD|Bolivia=BO
Bolivia, Plurinational State of=BO|Bolivia (Plurinational State of)=BO|Venezuela=VE
Venezuela, Bolivarian Republic of=VE|Tanzania=TZ|United Republic of Tanzania=TZ
Tanzania, United Republic of=TZ|Micronesia=FM|Federated States of Micronesia=FM
Micronesia (Federated States of)=FM|Kyrgyzstan=KG|Kyrgyz Republic=KG|Kirghizia=KG
Belarus=BY|Byelorussia=BY|Bosnia=BA|Bosnia and Herzegovina=BA|Bosnia & Herzegovina=BA|BiH=BA
Bosnia-Herzegovina=BA|Trinidad=TT|Trinidad & Tobago=TT|Antigua=AG|Antigua and Barbuda=AG
St Vincent=VC|St. Vincent and the Grenadines=VC|Saint Vincent and the Grenadines=VC
St. Lucia=LC|St Lucia=LC|Saint Lucia=LC|St. Kitts and Nevis=KN|St Kitts & Nevis=KN
São Tomé=ST|Sao Tome and Principe=ST|São Tomé & Príncipe=ST|Guinea=GN|Guinea-Bissau=GW
Guinea Bissau=GW|Equatorial Guinea=GQ|Papua New Guinea=PG|PNG=PG|Niger=NE|Nigeria=NG
Dominica=DM|Dominican Republic=DO|the Dominican Republic=DO|Samoa=WS|American Samoa=AS
Ireland=IE|Republic of Ireland=IE|Georgia=GE|Republic of Georgia=GE|Jordan=JO|Sudan=SD
South Sudan=SS|the Sudan=SD|Yemen=YE|Libya=LY|CAR=CF|Central African Republic=CF|RSA=ZA
South Africa=ZA|Serbia=RS|Germany=DE|Federal Republic of Germany=DE|Macau=MO|Macao=MO
Hong Kong=HK|Hong Kong SAR=HK|Puerto Rico=PR|Greenland=GL|Falkland Islands=FK|EL=GR|Greece=GR
British Virgin Islands=VG|US Virgin Islands=VI|U.S. Virgin Islands=VI|Comoros=KM
the Philippines=PH|the Maldives=MV|Lebanon=LB|the Lebanon=LB|the Ukraine=UA|Bahrein=BH
"""
OTHER_LANGUAGES = """
Казахстан=KZ|Қазақстан=KZ|Qazaqstan=KZ|Россия=RU|РФ=RU|Ресей=RU|США=US|АҚШ=US|ОАЭ=AE|КНР=CN
КНДР=KP|Белоруссия=BY|Беларусь=BY|Киргизия=KG|Кыргызстан=KG|Молдавия=MD|Йемен=YE|ЦАР=CF
Великобритания=GB|Саудовская Аравия=SA|Объединённые Арабские Эмираты=AE|Туркмения=TM
Південна Корея=KR|Росія=RU|Україна=UA|Сполучені Штати=US|Велика Британія=GB|Німеччина=DE
Deutschland=DE|Island=IS|Elfenbeinküste=CI|Südkorea=KR|Suedkorea=KR|Österreich=AT|Oesterreich=AT|Weißrussland=BY
Vereinigte Arabische Emirate=AE|Schweiz=CH|Türkei=TR|Tuerkei=TR
États-Unis=US|Etats-Unis=US|Royaume-Uni=GB|Émirats arabes unis=AE|Arabie saoudite=SA|RDC=CD
République démocratique du Congo=CD|Allemagne=DE|Corée du Nord=KP|Tchad=TD|Saint-Siège=VA
Estados Unidos=US|EE. UU.=US|EEUU=US|Reino Unido=GB|Arabia Saudí=SA|Arabia Saudita=SA
Corea del Norte=KP|Alemania=DE|Nueva Zelanda=NZ|Kazajistán=KZ|Brasil=BR|Stati Uniti=US
Amerika Birleşik Devletleri=US|ABD=US|Suudi Arabistan=SA|Birleşik Arap Emirlikleri=AE|Çin=CN
Güney Kore=KR|Almanya=DE|Fas=MA|Mısır=EG|Kırgızistan=KG|KIRGIZİSTAN=KG|Özbekistan=UZ
السعودية=SA|المملكة العربية السعودية=SA|الإمارات=AE|أفغانستان=AF|روسيا=RU|الولايات المتحدة=US
كوريا الشمالية=KP|مصر=EG|فلسطين=PS|تركيا=TR|الصين=CN|إيران=IR|ایران=IR|افغانستان=AF|روسیه=RU
عربستان سعودی=SA|آمریکا=US|ایالات متحده=US|کره جنوبی=KR|ترکیه=TR|قزاقستان=KZ|چین=CN
中国=CN|中國=CN|中华人民共和国=CN|美国=US|美國=US|俄罗斯=RU|俄羅斯=RU|阿富汗=AF|哈萨克斯坦=KZ
哈薩克=KZ|朝鲜=KP|韩国=KR|刚果（金）=CD|刚果(布)=CG|阿联酋=AE|沙特=SA|日本=JP|アメリカ=US
ロシア=RU|イギリス=GB|北朝鮮=KP|미국=US|대한민국=KR|북한=KP|러시아=RU|भारत=IN|रूस=RU|ארצות הברית=US
ארה"ב=US|ישראל=IL|საქართველო=GE|Հայաստան=AM|Ελλάδα=GR|Magyarország=HU|Suomi=FI|Shqipëri=AL
Oʻzbekiston=UZ|Ўзбекистон=UZ|Тоҷикистон=TJ|Azərbaycan=AZ|Azerbaycan=AZ|Polska=PL|Česko=CZ
"""
CODES = """
KZ=KZ|kz=KZ|KAZ=KZ|kaz=KZ| kz =KZ|NA=NA|na=NA|NAM=NA|AU=AU|GB=GB|GBR=GB|XK=XK|XKX=XK|SUHH=SUHH
suhh=SUHH|X-SO=X-SO|x-so=X-SO|GE-AB=GE-AB|CY-N=CY-N|SO-SL=SO-SL|CSHH=CSHH|DDDE=DDDE|NO=NO|BY=BY
SK=SK|GE=GE|AI=AI|SU=SUHH|SUN=SUHH|ZAR=ZRCD|EU=EU|UN=UN|AFU=AFU|FIVE-EYES=FIVE-EYES|NGA=NG|NER=NE
"""
BEYOND_ISO = """
Kosovo=XK|Kosovo*=XK|Косово=XK|Taiwan=TW|Republic of China=TW|Taiwan, Province of China=TW
Palestine=PS|State of Palestine=PS|Palestinian Territories=PS|Abkhazia=GE-AB|Абхазия=GE-AB
South Ossetia=X-SO|Южная Осетия=X-SO|Somaliland=SO-SL|Northern Cyprus=CY-N|TRNC=CY-N
Turkish Republic of Northern Cyprus=CY-N|Transnistria=MD-SN|Приднестровье=MD-SN|Tibet=CN-XZ
Western Sahara=EH|Nagorno-Karabakh=X-NK|Nagorno Karabakh=X-NK|Artsakh=X-NK|Crimea=UA-43
Scotland=GB-SCT|Wales=GB-WLS|England=GB-ENG|Northern Ireland=GB-NIR|Catalonia=ES-CT
Chechnya=RU-CE|Kurdistan Region=IQ-KR|Iraqi Kurdistan=IQ-KR|KRG=IQ-KR|Xinjiang=CN-XJ
"""
RE_WRITTEN = """
Rep. of Kazakhstan=KZ|Rep of Niger=NE|Rep. of Guinea=GN|Fed. Rep. of Germany=DE|Rep. of Ireland=IE
Rep. of China=TW|Islamic Rep. of Iran=IR|Federal Rep. of Nigeria=NG|Dem. Rep. of Vietnam=VDVN
Rep. of Türkiye=TR|German Dem. Rep.=DDDE|Lao People's Dem. Rep.=LA|Am. Samoa=AS
U.S. of America=US|S. Ossetia=X-SO|Iran, I.R.=IR|Bahamas, The=BS|China, People's Republic of=CN
Ellada=GR|Taehan Minguk=KR|ประเทศไทย=TH|Монгол Улс=MN|Druk Yul=BT|Al-Urdun=JO|Al-Yaman=YE
Jamhuri ya Kenya=KE|Trucial States=AE|Muscat and Oman=OM|Ubangi-Shari=CF|Gilbert Islands=KI
Dutch East Indies=ID|Timor Lorosa'e=TL|Donetsk=UA-14|Луганск=UA-09|Northern Macedonia=MK|RMI=MH
Micronesia (Federated States of)=FM|S. Korea=KR|N.Korea=KP|D.R.C.=CD|Congo (Rep.)=CG|F.S.M.=FM
Guinée Équatoriale=GQ|Guinee-Bissau=GW|尼日尔=NE|尼日利亚=NG|النيجر=NE|نيجيريا=NG|Нигер=NE
Доминика=DM|Доминиканская Республика=DO|Самоа=WS|Эсватини=SZ|Kosova=XK|Kosovo and Metohija=XK
Transdniester=MD-SN|PMR=MD-SN|Apsny=GE-AB|Сомалиленд=SO-SL|Republic of Somaliland=SO-SL
"""
HISTORICAL = """
USSR=SUHH|U.S.S.R.=SUHH|Soviet Union=SUHH|СССР=SUHH|Sowjetunion=SUHH|URSS=SUHH|Yugoslavia=YUCS
Czechoslovakia=CSHH|East Germany=DDDE|GDR=DDDE|DDR=DDDE|West Germany=DE|Zaire=ZRCD|Zaïre=ZRCD
Rhodesia=RHZW|Upper Volta=HVBF|Dahomey=DYBJ|Persia=IR|Ceylon=LK|Siam=TH|Serbia and Montenegro=CSXX
South Yemen=YDYE|North Yemen=X-YN|North Vietnam=VDVN|South Vietnam=X-VS|Kampuchea=KH|Abyssinia=ET
United Arab Republic=X-UR|Netherlands Antilles=ANHH|New Hebrides=NHVU|Portuguese Timor=TPTL
Southern Rhodesia=RHZW|Northern Rhodesia=ZM|Western Samoa=WS|Sikkim=SKIN|Panama Canal Zone=PZPA
"""
BLOCS = """
European Union=EU|the EU=EU|ЕС=EU|UE=EU|欧盟=EU|Евросоюз=EU|United Nations=UN|the UN=UN|ООН=UN
NATO=NATO|НАТО=NATO|OTAN=NATO|North Atlantic Treaty Organization=NATO|SCO=SCO|ШОС=SCO|GCC=GCC
Shanghai Cooperation Organization=SCO|Shanghai Cooperation Organisation=SCO|the GCC=GCC|G.C.C.=GCC
Gulf Cooperation Council=GCC|CSTO=CSTO|ОДКБ=CSTO|CIS=CIS|СНГ=CIS|OIC=OIC|African Union=AFU
Commonwealth of Independent States=CIS|Organisation of Islamic Cooperation=OIC|ASEAN=ASEAN
Organization of Islamic Cooperation=OIC|Arab League=LAS|League of Arab States=LAS|BRICS=BRICS
G7=G7|G-7=G7|G20=G20|EAEU=EAEU|Eurasian Economic Union=EAEU|OSCE=OSCE|ОБСЕ=OSCE|OAS=OAS
ECOWAS=ECOWAS|CEDEAO=ECOWAS|Alliance of Sahel States=AES|Council of Europe=COE|Mercosur=MERCOSUR
Five Eyes=FIVE-EYES|Quad=QUAD|AUKUS=AUKUS|Baltic states=BALTIC|the Baltics=BALTIC|Nordics=NORDIC
Organization of Turkic States=OTS|Visegrad Group=VISEGRAD|V4=VISEGRAD|OPEC=OPEC|CARICOM=CARICOM
"""
SEVERAL = """
Congo=CD,CG|the Congo=CD,CG|Конго=CD,CG|الكونغو=CD,CG|کنگو=CD,CG|Kongo=CD,CG|刚果=CD,CG|콩고=CD,CG
Korea=KP,KR|Корея=KP,KR|كوريا=KP,KR|کره=KP,KR|Corée=KP,KR|Corea=KP,KR|Kore=KP,KR|Coreia=KP,KR
Virgin Islands=VG,VI|Saint Martin=MF,SX|St. Martin=MF,SX|İngiltere=GB,GB-ENG|انگلیس=GB,GB-ENG
"""
NOBODY = [
    *("Taliban", "the Taliban", "Талибан", "طالبان", "Hamas", "Hezbollah", "Al-Qaeda", "al Qaeda"),
    *("Islamic State", "ISIS", "ISIL", "Daesh", "Houthis", "PKK", "IRA", "HTS", "Wagner"),
    *("Eurasia", "West", "the West", "Middle East", "Europe", "Africa", "Asia", "Latin America"),
    *("Kabul", "Moscow", "Washington", "Brussels", "London", "The Hague", "Kurdistan", "Kashmir"),
    *(
        "Gaza",
        "West Bank",
        "DPR",
        "LPR",
        "DNR",
        "LNR",
        "ДНР",
        "ЛНР",
        "398",
        "004",
        "ROC",
        "N.Z.",
        "RF",
    ),
    *("Damascus", "Seoul", "Kabul regime", "Persian", "English", "Pashto", "Kurds", "Palestinians"),
    *("Zanzibar", "Ottoman Empire", "Prussia", "Indochina", "Timor", "Gold Coast", "Polynesia"),
    *("none", "null", "N/A", "n/a", "n.a.", "NaN", "unknown", "other", "all", "any", "", " ", "-"),
    *("Arab states", "Gulf", "Central Asia", "Guiana", "Islands", "Republic", "Order of Malta"),
    *(
        "Congo and Niger",
        "Iran-Iraq",
        "Kazakhstan, Russia",
        "US-China",
        "A.U.",
        "Union",
        "XX",
        "ß",
        "OPEC+",
    ),
    *("*", "%", "'; DROP TABLE", "🇰🇿", "404", "Security Council", "Commonwealth", "AB", "UKK"),
    *("Lybia", "Kazahkstan", "Khazakstan", "Untied States", "Columbia", "Phillipines", "Isreal"),
]


def cases(text: str) -> list[tuple[str, str]]:
    entries = [entry for line in text.splitlines() for entry in line.split("|") if line]
    return [(name, code) for name, _, code in (entry.rpartition("=") for entry in entries)]


def codes(text: str) -> list[str]:
    return sorted(territory.code for territory in match(text))


@pytest.mark.parametrize(
    ("text", "code"),
    cases(
        ENGLISH
        + ABBREVIATED
        + OTHER_LANGUAGES
        + CODES
        + BEYOND_ISO
        + RE_WRITTEN
        + HISTORICAL
        + BLOCS
    ),
)
def test_a_name_or_code_resolves_to_its_territory(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(("text", "choices"), cases(SEVERAL))
def test_an_ambiguous_name_resolves_to_all_choices(text: str, choices: str) -> None:
    assert codes(text) == choices.split(",")


@pytest.mark.parametrize("text", NOBODY)
def test_what_is_nobodys_name_resolves_to_nobody(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    cases("""
Lybia=LY|Afganisthan=AF|Kazahkstan=KZ|Kazakstn=KZ|Phillipines=PH|Isreal=IL|Ukrane=UA|Columbia=CO
Untied States=US|Azerbijan=AZ|Kyrgystan=KG|Tajikstan=TJ|Turkmenstan=TM|Uzbekstan=UZ|Morroco=MA
Swizerland=CH|Guatamala=GT|Venezeula=VE|Saudia Arabia=SA|South Koera=KR|Ethopia=ET|Belorus=BY
Soviet Unoin=SUHH|Kosvo=XK|Abkhasia=GE-AB|Казхстан=KZ|Кыргызтан=KG|Eurpean Union=EU|Pakstan=PK
"""),
)
def test_a_misspelt_name_is_suggested_and_never_taken(text: str, code: str) -> None:
    assert codes(text) == []
    assert code in [territory.code for territory in suggest(text)]


@pytest.mark.parametrize(
    ("text", "code"),
    cases("""
Gaza=PS|the Gaza Strip=PS|West Bank=PS|the West Bank=PS|Газа=PS|Сектор Газа=PS|غزة=PS|OPT=PS
DNR=UA-14|ДНР=UA-14|Donetsk People's Republic=UA-14|LNR=UA-09|LPR=UA-09|ЛНР=UA-09|DPR=UA-14|DPR=KP
398=KZ|643=RU|840=US|004=AF|4=AF|N.Z.=NZ|G.B.=GB|B&H=BA|T&T=TT|РК=KZ|RSFSR=RU|R.O.C.=TW|Timor=TL
Kazakhstan (Kingdom of)=KZ|Rep. Moldova=MD|Libya (GNU)=LY
Emirate of Afghanistan=AF|Soviet Russia=RU|Nazi Germany=DE|China (mainland)=CN|Cyprus (North)=CY
Republic of Congo-Brazzaville=CG|Congo Kinshassa=CD|Southern Sudan=SS|Federal Republic Germany=DE
Republic of Kosova=XK|Zanzibar=TZ|Sarawak=MY|Mesopotamia=IQ|Channel Islands=JE|Gold Coast=GH
Sri Lanka (Ceylon)=LK|Syrian AR=SY|Azerbaijan Republic=AZ|Chad Republic=TD|US Virgin Is.=VI
"""),
)
def test_what_may_mean_a_territory_is_suggested_and_never_taken(text: str, code: str) -> None:
    assert codes(text) == []
    assert code in [territory.code for territory in suggest(text)]


@pytest.mark.parametrize(
    "text", ["", "?", "Taliban", "the hamas", "n.a.", "qqqqqqqq", "x" * 100_000]
)
def test_nothing_is_suggested_for_what_is_no_misspelling(text: str) -> None:
    assert suggest(text) == ()


def test_suggestions_are_as_many_as_asked_for_and_different() -> None:
    suggested = [territory.code for territory in suggest("Guinea", 3)]
    assert suggested[0] == "GN"
    assert len(suggested) == len(set(suggested)) == 3


@given(st.text())
def test_any_text_can_be_looked_up(text: str) -> None:
    assert isinstance(match(text), tuple)
    assert isinstance(suggest(text), tuple)


def test_every_name_and_code_leads_back_to_its_territory() -> None:
    for territory in territories().values():
        for code in territory.codes:
            assert codes(code) == [territory.code]
            assert codes(code.lower()) == [territory.code]
        for name in territory.names:
            found = set(codes(name))
            assert territory.code in found, name
            assert found == {territory.code} or found in AMBIGUOUS, name


def test_a_leading_article_never_leads_elsewhere() -> None:
    short = {f"the {name}": name for each in territories().values() for name in each.names}
    wrong = [name for name, bare in short.items() if codes(name) != codes(bare)]
    # Only where a code stands for somebody else: AU is Australia, "the AU" the African Union.
    assert all(bare.isascii() and len(bare) <= 4 for bare in map(short.__getitem__, wrong)), wrong


def test_spaces_are_left_out_of_long_names_only() -> None:
    assert codes("South Korea") == codes("SouthKorea") == codes("South-Korea") == ["KR"]
    assert codes("Viet Nam") == codes("Vietnam") == ["VN"]
    assert codes("I ran") == codes("to go") == codes("o man") == []


@pytest.mark.parametrize(
    ("bloc", "number"),
    [
        ("AES", 3), ("AFU", 55), ("APEC", 21), ("ASEAN", 11), ("AUKUS", 3), ("BALTIC", 3),
        ("BENELUX", 3), ("BIMSTEC", 7), ("BRICS", 10), ("CARICOM", 15), ("CELAC", 33), ("CIS", 9),
        ("COE", 46), ("CSTO", 6), ("EAC", 8), ("EAEU", 5), ("ECO", 10), ("ECOWAS", 12), ("EFTA", 4),
        ("EU", 27), ("FIVE-EYES", 5), ("G20", 21), ("G7", 7), ("GCC", 6), ("LAS", 22),
        ("MERCOSUR", 6), ("NATO", 32), ("NORDIC", 5), ("OAS", 34), ("OIC", 57), ("OPEC", 11),
        ("OSCE", 57), ("OTS", 5), ("PIF", 18), ("QUAD", 4), ("SAARC", 8), ("SADC", 16), ("SCO", 10),
        ("UN", 193), ("VISEGRAD", 4),
    ],
)  # fmt: skip
def test_a_bloc_expands_to_its_members_and_itself(bloc: str, number: int) -> None:
    expanded = expand(bloc)
    assert expanded[-1] == bloc
    assert len(set(expanded)) == len(expanded) == number + 1
    assert expanded[:-1] == territories()[bloc].members


def test_every_bloc_is_counted_above() -> None:
    assert sum(each.kind == "bloc" for each in territories().values()) == 40


@pytest.mark.parametrize(
    ("bloc", "inside", "outside"),
    [
        ("ECOWAS", {"NG", "GN"}, {"ML", "BF", "NE"}),
        ("SCO", {"BY", "IR"}, {"TM", "AF"}),
        ("BRICS", {"EG", "ET", "IR", "AE", "ID"}, {"SA", "AR"}),
        ("NATO", {"FI", "SE"}, {"UA", "AT", "IE"}),
        ("OPEC", {"SA", "IR"}, {"AO", "QA", "AE"}),
        ("CSTO", {"AM"}, {"UZ", "AZ"}),
        ("UN", {"KZ", "KP"}, {"VA", "PS", "XK", "TW", "HK", "CK"}),
        ("LAS", {"SY", "PS"}, {"IR", "TR"}),
    ],
)
def test_members_at_present(bloc: str, inside: set[str], outside: set[str]) -> None:
    members = set(expand(bloc))
    assert inside <= members
    assert not outside & members


@pytest.mark.parametrize("code", ["KZ", "SUHH", "X-SO", "no such code"])
def test_what_is_no_bloc_expands_to_itself(code: str) -> None:
    assert expand(code) == (code,)


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("TR", "Turkey", "state"), ("MM", "Myanmar", "state"), ("CZ", "Czechia", "state"),
        ("CI", "Ivory Coast", "state"), ("KR", "South Korea", "state"), ("CD", "DR Congo", "state"),
        ("CG", "Congo (Brazzaville)", "state"), ("PS", "Palestine", "state"),
        ("TW", "Taiwan", "state"), ("XK", "Kosovo", "state"), ("VA", "Vatican City", "state"),
        ("EH", "Western Sahara", "other"), ("HK", "Hong Kong", "other"),
        ("GL", "Greenland", "other"),
        ("SUHH", "Soviet Union", "former_state"), ("GE-AB", "Abkhazia", "other"),
        ("AFU", "African Union", "bloc"),
    ],
)  # fmt: skip
def test_the_row_of_a_territory(code: str, name: str, kind: str) -> None:
    territory = territories()[code]
    assert (territory.name, territory.kind) == (name, kind)


def test_a_row_carries_its_codes_and_its_successors() -> None:
    assert territories()["KZ"].codes == ("KZ", "KAZ")
    assert territories()["KZ"].numeric == "398"
    assert territories()["TW"].official_name is None
    assert set(territories()["CSHH"].successors) == {"CZ", "SK"}
    assert len(territories()["SUHH"].successors) == 15
    # Codes that were given to others afterwards are theirs.
    assert territories()["BYAA"].alpha2 is None


def test_members_and_successors_are_territories_of_the_table() -> None:
    named = {code for each in territories().values() for code in (*each.members, *each.successors)}
    assert named <= territories().keys()


def test_refused_names_resolve_to_nobody() -> None:
    document = json.loads(files("app.data").joinpath("territories.json").read_text("utf-8"))
    assert [name for name in document["refused"] if match(name)] == []


def test_no_name_is_written_twice_in_a_row() -> None:
    for each in territories().values():
        keys = [run_together(fold(name)) for name in each.names]
        assert len(keys) - len(set(keys)) <= (each.kind == "bloc"), each.code


def test_the_table_is_read_quickly() -> None:
    started = time.perf_counter()
    program = "from app.domain.territories import match; assert match('Казахстан')"
    subprocess.run([sys.executable, "-c", program], check=True)
    # A process of its own on a busy machine; measured alone it takes a fiftieth of that.
    assert time.perf_counter() - started < 10


def same_sources() -> bool:
    document = json.loads(files("app.data").joinpath("territories.json").read_text("utf-8"))
    try:
        return all(document["sources"][each] == version(each) for each in ("babel", "pycountry"))
    except PackageNotFoundError:
        return False


@pytest.mark.skipif(not same_sources(), reason="needs the Babel and pycountry it was made with")
def test_the_shipped_table_is_what_the_builder_makes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    builder = import_module("app.data.build_territories")
    assert builder.main(["--check"]) == 0
    monkeypatch.setattr(builder, "SHIPPED", tmp_path / "territories.json")
    assert builder.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert builder.main([]) == 0
    assert builder.main(["--check"]) == 0
