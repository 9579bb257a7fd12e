/* language_words.c - everyday words of some languages besides English, for the class `unknown`.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "data/speech/parts.h"

static const char *const german[] = {
    "abend",   "alles",     "anfang",     "antwort",    "apfel",     "arbeit",   "auge",
    "auto",    "bahnhof",   "bald",       "baum",       "beispiel",  "bitte",    "blume",
    "brot",    "bruder",    "danke",      "dorf",       "einfach",   "ende",     "fahren",
    "familie", "farbe",     "fenster",    "feuer",      "finger",    "fisch",    "frage",
    "freund",  "garten",    "gemüse",     "geschichte", "gestern",   "glas",     "gut",
    "heute",   "himmel",    "holz",       "hund",       "jahr",      "kaffee",   "katze",
    "kind",    "kommen",    "kopf",       "küche",      "lampe",     "land",     "lesen",
    "licht",   "luft",      "mann",       "messer",     "milch",     "minute",   "montag",
    "morgen",  "mutter",    "nacht",      "name",       "oben",      "papier",   "pferd",
    "platz",   "regen",     "richtig",    "salz",       "schlüssel", "schnee",   "schreiben",
    "schule",  "schwester", "sommer",     "sonne",      "spielen",   "sprache",  "stadt",
    "straße",  "stuhl",     "suchen",     "tasche",     "tisch",     "trinken",  "tür",
    "uhr",     "vater",     "vielleicht", "vogel",      "wasser",    "weg",      "wetter",
    "wieder",  "winter",    "woche",      "wohnung",    "wort",      "zeit",     "zeitung",
    "zimmer",  "zucker",    "zusammen",   "zwiebel",    "guten tag", "wie bitte"};

static const char *const french[] = {
    "accord",  "affaire",  "ami",         "année",    "appeler", "apporter",       "arbre",
    "argent",  "attendre", "aujourd'hui", "avion",    "bateau",  "beau",           "beaucoup",
    "bonjour", "bouche",   "bouteille",   "bras",     "bruit",   "café",           "chaise",
    "chambre", "chanson",  "chat",        "chaud",    "chemin",  "cheval",         "chien",
    "ciel",    "clé",      "couleur",     "couteau",  "cuisine", "demain",         "dimanche",
    "école",   "écrire",   "enfant",      "ensemble", "erreur",  "étoile",         "facile",
    "femme",   "fenêtre",  "feu",         "fleur",    "frère",   "froid",          "fromage",
    "gâteau",  "grand",    "histoire",    "hiver",    "homme",   "jardin",         "jaune",
    "jeudi",   "jouer",    "journal",     "lait",     "légume",  "livre",          "lumière",
    "lune",    "magasin",  "main",        "maison",   "manger",  "matin",          "merci",
    "mère",    "minute",   "montagne",    "musique",  "neige",   "nuit",           "oiseau",
    "orange",  "pain",     "papier",      "parler",   "pluie",   "poisson",        "pomme",
    "porte",   "pourquoi", "printemps",   "question", "réponse", "rivière",        "route",
    "semaine", "soleil",   "sœur",        "sucre",    "table",   "temps",          "tête",
    "travail", "vélo",     "ville",       "voiture",  "voyage",  "s'il vous plaît"};

static const char *const spanish[] = {
    "abuela",   "agua",     "ahora",    "alegre",  "amarillo", "amigo",       "árbol",
    "arroz",    "avión",    "ayer",     "azúcar",  "bajo",     "barco",       "bueno",
    "caballo",  "cabeza",   "café",     "calle",   "cama",     "caminar",     "camisa",
    "canción",  "casa",     "ciudad",   "clase",   "coche",    "cocina",      "color",
    "comer",    "correr",   "cuchara",  "cuento",  "cuerpo",   "dinero",      "domingo",
    "ejemplo",  "escuela",  "escribir", "espejo",  "estrella", "familia",     "feliz",
    "fiesta",   "flor",     "frío",     "fruta",   "fuego",    "gato",        "gracias",
    "grande",   "guitarra", "hablar",   "hermano", "hielo",    "historia",    "hombre",
    "huevo",    "iglesia",  "invierno", "jardín",  "jueves",   "jugar",       "lápiz",
    "leche",    "libro",    "llave",    "lluvia",  "luna",     "madre",       "mano",
    "mañana",   "mesa",     "minuto",   "mujer",   "música",   "naranja",     "nieve",
    "niño",     "noche",    "nombre",   "nube",    "ojo",      "padre",       "pájaro",
    "palabra",  "pan",      "papel",    "perro",   "pescado",  "piedra",      "playa",
    "pregunta", "pueblo",   "puerta",   "queso",   "reloj",    "respuesta",   "río",
    "semana",   "silla",    "sol",      "sueño",   "tarde",    "tiempo",      "trabajo",
    "ventana",  "verano",   "viaje",    "vino",    "zapato",   "buenos días", "por favor"};

static const char *const arabic[] = {
    "أب",    "أخ",    "أخت",   "أرض",   "أزرق",  "أسبوع", "أسود",  "أصفر",   "أم",   "أمس",
    "باب",   "بحر",   "برد",   "بستان", "بيت",   "تفاح",  "تلميذ", "ثلج",    "جبل",  "جديد",
    "جميل",  "جواب",  "حديقة", "حصان",  "حليب",  "حياة",  "خبز",   "خضار",   "درس",  "دقيقة",
    "دواء",  "ذهب",   "رأس",   "رجل",   "رسالة", "زهرة",  "زيت",   "ساعة",   "سرير", "سفينة",
    "سكر",   "سماء",  "سمك",   "سنة",   "سؤال",  "سوق",   "سيارة", "شارع",   "شاي",  "شتاء",
    "شجرة",  "شكرا",  "شمس",   "صباح",  "صديق",  "صورة",  "صوت",   "صيف",    "ضوء",  "طالب",
    "طاولة", "طائرة", "طريق",  "طعام",  "طفل",   "طويل",  "عائلة", "عصفور",  "عمل",  "عين",
    "غدا",   "غرفة",  "قلب",   "قلم",   "قمر",   "قميص",  "قهوة",  "كبير",   "كتاب", "كرسي",
    "كلام",  "كلب",   "لغة",   "لون",   "ليل",   "ماء",   "مدرسة", "مدينة",  "مساء", "مطبخ",
    "مطر",   "معلم",  "مفتاح", "ملعقة", "ملك",   "نار",   "نافذة", "نجمة",   "نهر",  "نوم",
    "هاتف",  "هدية",  "هواء",  "ورق",   "وقت",   "ولد",   "يوم",   "من فضلك"};

typedef struct list {
  const char *language;
  const char *const *word;
  int32_t count;
} list;
static const list lists[] = {{"de", german, MN_COUNT(german)},
                             {"fr", french, MN_COUNT(french)},
                             {"es", spanish, MN_COUNT(spanish)},
                             {"ar", arabic, MN_COUNT(arabic)}};

bool mn_words_of_language(const char *const **word, int32_t *count, const char *language) {
  *word = mn_common_words;
  *count = mn_common_word_count;
  if (mn_language_is_english(language)) return true;
  const size_t length = strcspn(language, "-");
  for (size_t i = 0; i < MN_COUNT(lists); i++) {
    if (strlen(lists[i].language) != length || strncmp(lists[i].language, language, length) != 0)
      continue;
    *word = lists[i].word;
    *count = lists[i].count;
    return true;
  }
  return false;
}
