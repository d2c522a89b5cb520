// The words make-seed-catalogue.mjs draws from. Pairs are [English, French].

/** weight: share of all tools; roots: beginnings of names; tasks: what the tools do. */
export const categories = [
  { slug: 'video-generation', en: 'Video generation', fr: 'Génération vidéo', symbol: '▶', weight: 9, roots: ['Clip', 'Reel', 'Motion', 'Cine', 'Frame', 'Scene'], tags: ['video', 'text-to-video', 'animation', 'b-roll', 'storyboard'], tasks: [
    ['Turns a written idea into a finished video', 'Transforme une idée écrite en vidéo terminée'],
    ['Animates still photos with natural motion', 'Anime des photos fixes avec un mouvement naturel'],
    ['Generates b-roll that matches your script', 'Génère des plans de coupe assortis à votre script'],
    ['Draws a storyboard from a screenplay', 'Dessine un storyboard à partir d’un scénario'],
    ['Makes product videos from a web address', 'Crée des vidéos de produits à partir d’une adresse web']] },
  { slug: 'video-editing', en: 'Video editing', fr: 'Montage vidéo', symbol: '✂', weight: 8, roots: ['Cut', 'Splice', 'Trim', 'Edit', 'Montage', 'Jump'], tags: ['video', 'editing', 'shorts', 'captions', 'colour'], tasks: [
    ['Cuts long recordings into short vertical clips', 'Découpe de longs enregistrements en courts clips verticaux'],
    ['Removes silences and hesitations from talks', 'Supprime les silences et les hésitations des exposés'],
    ['Matches the colours of several cameras', 'Harmonise les couleurs de plusieurs caméras'],
    ['Edits a video by editing its transcript', 'Monte une vidéo en corrigeant sa transcription'],
    ['Finds the best moments of a live stream', 'Trouve les meilleurs moments d’une diffusion en direct']] },
  { slug: 'subtitles', en: 'Subtitles & dubbing', fr: 'Sous-titres, doublage', symbol: '❝', weight: 4, roots: ['Caption', 'Sub', 'Dub', 'Lingo', 'Script'], tags: ['subtitles', 'translation', 'dubbing', 'accessibility', 'srt'], tasks: [
    ['Writes subtitles in forty languages', 'Rédige des sous-titres en quarante langues'],
    ['Dubs a speaker in their own voice', 'Double un orateur avec sa propre voix'],
    ['Times captions to the word', 'Cale les sous-titres au mot près'],
    ['Describes scenes for people who cannot see them', 'Décrit les scènes aux personnes qui ne les voient pas']] },
  { slug: 'avatars', en: 'Avatars & presenters', fr: 'Avatars, présentateurs', symbol: '☺', weight: 4, roots: ['Avatar', 'Persona', 'Face', 'Twin', 'Host'], tags: ['avatar', 'presenter', 'lip-sync', 'training'], tasks: [
    ['Gives your script a presenter who looks you in the eye', 'Donne à votre script un présentateur qui vous regarde'],
    ['Makes a talking avatar from one portrait', 'Crée un avatar parlant à partir d’un seul portrait'],
    ['Syncs lips to any recording', 'Synchronise les lèvres avec n’importe quel enregistrement'],
    ['Turns slides into narrated lessons', 'Transforme des diapositives en leçons commentées']] },
  { slug: 'image-generation', en: 'Image generation', fr: 'Génération d’images', symbol: '◐', weight: 10, roots: ['Pixel', 'Canvas', 'Dream', 'Paint', 'Image', 'Prism'], tags: ['images', 'text-to-image', 'illustration', 'art', 'styles'], tasks: [
    ['Paints pictures from a sentence', 'Peint des images à partir d’une phrase'],
    ['Draws consistent characters for picture books', 'Dessine des personnages cohérents pour des albums'],
    ['Generates textures that tile without seams', 'Génère des textures qui se répètent sans raccord'],
    ['Imagines a room in twelve styles', 'Imagine une pièce dans douze styles'],
    ['Illustrates articles in the style of your house', 'Illustre des articles dans le style de votre maison']] },
  { slug: 'photo-editing', en: 'Photo editing', fr: 'Retouche photo', symbol: '◉', weight: 7, roots: ['Photo', 'Lens', 'Retouch', 'Lumen', 'Shot'], tags: ['photo', 'upscaling', 'background', 'portrait', 'restore'], tasks: [
    ['Removes backgrounds down to the last hair', 'Détoure les arrière-plans au cheveu près'],
    ['Restores old family photos', 'Restaure les vieilles photos de famille'],
    ['Enlarges small images without blur', 'Agrandit les petites images sans flou'],
    ['Relights portraits after the fact', 'Rééclaire les portraits après coup'],
    ['Erases passers-by from holiday pictures', 'Efface les passants des photos de vacances']] },
  { slug: 'design', en: 'Design & logos', fr: 'Design et logos', symbol: '◆', weight: 6, roots: ['Design', 'Logo', 'Brand', 'Palette', 'Grid'], tags: ['design', 'logo', 'branding', 'templates', 'mockup'], tasks: [
    ['Sketches logos and a brand book in an afternoon', 'Esquisse des logos et une charte en un après-midi'],
    ['Suggests palettes that pass contrast checks', 'Propose des palettes au contraste suffisant'],
    ['Turns a wireframe into a clickable mock-up', 'Transforme une maquette filaire en prototype cliquable'],
    ['Resizes one banner for every network', 'Décline une bannière pour tous les réseaux']] },
  { slug: 'speech', en: 'Voice & speech', fr: 'Voix et parole', symbol: '◍', weight: 6, roots: ['Voice', 'Speak', 'Vox', 'Echo', 'Tone'], tags: ['voice', 'text-to-speech', 'cloning', 'narration'], tasks: [
    ['Reads any text in a warm human voice', 'Lit n’importe quel texte d’une voix humaine et chaleureuse'],
    ['Cleans up speech recorded in noisy rooms', 'Nettoie la parole enregistrée dans le bruit'],
    ['Narrates audiobooks with a voice for each character', 'Raconte des livres audio avec une voix par personnage'],
    ['Changes an accent while it keeps the emotion', 'Change un accent en conservant l’émotion']] },
  { slug: 'music', en: 'Music & sound', fr: 'Musique et son', symbol: '♪', weight: 5, roots: ['Melody', 'Beat', 'Sonic', 'Chord', 'Loop'], tags: ['music', 'sound-effects', 'mastering', 'royalty-free'], tasks: [
    ['Composes background music of the right length', 'Compose une musique de fond de la bonne durée'],
    ['Splits a song into voices and instruments', 'Sépare une chanson en voix et instruments'],
    ['Masters tracks for streaming services', 'Masterise des morceaux pour le streaming'],
    ['Invents sound effects from a description', 'Invente des effets sonores d’après une description']] },
  { slug: 'podcasts', en: 'Podcasts', fr: 'Podcasts', symbol: '◌', weight: 3, roots: ['Pod', 'Cast', 'Episode', 'Mic'], tags: ['podcast', 'show-notes', 'audio', 'interview'], tasks: [
    ['Writes show notes and chapters for every episode', 'Rédige les notes et chapitres de chaque épisode'],
    ['Turns an article into a two-voice conversation', 'Transforme un article en conversation à deux voix'],
    ['Levels every guest to the same loudness', 'Met tous les invités au même niveau sonore']] },
  { slug: 'transcription', en: 'Transcription', fr: 'Transcription', symbol: '≡', weight: 4, roots: ['Scribe', 'Transcript', 'Note', 'Dictate'], tags: ['transcription', 'meetings', 'notes', 'summary'], tasks: [
    ['Transcribes meetings and names the speakers', 'Transcrit les réunions et nomme les intervenants'],
    ['Summarises a call before you have hung up', 'Résume un appel avant que vous ayez raccroché'],
    ['Types what you say, punctuation included', 'Écrit ce que vous dites, ponctuation comprise']] },
  { slug: 'writing', en: 'Writing', fr: 'Rédaction', symbol: '✎', weight: 9, roots: ['Write', 'Prose', 'Quill', 'Draft', 'Ink'], tags: ['writing', 'copywriting', 'grammar', 'blog', 'seo'], tasks: [
    ['Drafts articles that sound like you', 'Rédige des articles qui vous ressemblent'],
    ['Corrects grammar and explains why', 'Corrige la grammaire et explique pourquoi'],
    ['Rewrites dense paragraphs in plain words', 'Réécrit les paragraphes denses en mots simples'],
    ['Finds a title readers will click', 'Trouve un titre que les lecteurs ouvriront'],
    ['Helps novelists keep track of their plot', 'Aide les romanciers à suivre leur intrigue']] },
  { slug: 'chat', en: 'Chat & assistants', fr: 'Chat et assistants', symbol: '◎', weight: 7, roots: ['Chat', 'Assist', 'Talk', 'Buddy', 'Ask'], tags: ['chatbot', 'assistant', 'knowledge-base', 'agents'], tasks: [
    ['Answers questions about your own documents', 'Répond aux questions sur vos propres documents'],
    ['Handles the first line of customer support', 'Assure le premier niveau du support client'],
    ['Plans your week from your mail', 'Planifie votre semaine à partir de vos courriels'],
    ['Runs several models side by side', 'Fait travailler plusieurs modèles côte à côte']] },
  { slug: 'translation', en: 'Translation', fr: 'Traduction', symbol: '⇄', weight: 3, roots: ['Trans', 'Babel', 'Polyglot', 'Bridge'], tags: ['translation', 'localisation', 'languages'], tasks: [
    ['Translates websites and keeps their layout', 'Traduit des sites en gardant leur mise en page'],
    ['Localises apps with screenshots as context', 'Localise des applications avec des captures pour contexte'],
    ['Interprets conversations as they happen', 'Interprète les conversations en direct']] },
  { slug: 'code', en: 'Code', fr: 'Code', symbol: '‹›', weight: 8, roots: ['Code', 'Dev', 'Stack', 'Patch', 'Byte'], tags: ['code', 'developer', 'review', 'testing', 'open-source'], tasks: [
    ['Completes code as you type', 'Complète le code pendant la frappe'],
    ['Reviews pull requests and points to the line', 'Relit les demandes de fusion et montre la ligne'],
    ['Writes tests for code nobody dares to touch', 'Écrit des tests pour le code que personne n’ose toucher'],
    ['Explains a stack trace in one paragraph', 'Explique une trace d’erreur en un paragraphe'],
    ['Turns questions into SQL', 'Transforme des questions en SQL']] },
  { slug: 'no-code', en: 'No-code & websites', fr: 'No-code et sites web', symbol: '▦', weight: 4, roots: ['Site', 'Build', 'Block', 'Page', 'Launch'], tags: ['no-code', 'website', 'landing-page', 'forms'], tasks: [
    ['Builds a website from three questions', 'Construit un site à partir de trois questions'],
    ['Turns a spreadsheet into an app', 'Transforme un tableur en application'],
    ['Writes and tests landing pages', 'Rédige et teste des pages d’atterrissage']] },
  { slug: 'data', en: 'Data & analytics', fr: 'Données et analyse', symbol: '◫', weight: 5, roots: ['Data', 'Metric', 'Insight', 'Query', 'Chart'], tags: ['data', 'analytics', 'dashboard', 'spreadsheets'], tasks: [
    ['Charts a table when you ask in words', 'Met un tableau en graphique sur simple demande'],
    ['Finds the outliers in your figures', 'Trouve les valeurs aberrantes de vos chiffres'],
    ['Cleans messy spreadsheets', 'Nettoie les feuilles de calcul en désordre']] },
  { slug: 'marketing', en: 'Marketing', fr: 'Marketing', symbol: '◢', weight: 7, roots: ['Market', 'Ad', 'Growth', 'Reach', 'Funnel'], tags: ['marketing', 'ads', 'email', 'seo', 'copywriting'], tasks: [
    ['Writes and tests advertising copy', 'Rédige et teste des textes publicitaires'],
    ['Predicts which subject line gets opened', 'Prédit quel objet de courriel sera ouvert'],
    ['Tracks how assistants speak of your brand', 'Suit ce que les assistants disent de votre marque']] },
  { slug: 'social', en: 'Social media', fr: 'Réseaux sociaux', symbol: '◈', weight: 5, roots: ['Social', 'Post', 'Viral', 'Feed', 'Buzz'], tags: ['social-media', 'scheduling', 'shorts', 'hashtags'], tasks: [
    ['Plans a month of posts in one sitting', 'Planifie un mois de publications en une fois'],
    ['Turns one article into ten posts', 'Transforme un article en dix publications'],
    ['Answers comments in your tone', 'Répond aux commentaires sur votre ton']] },
  { slug: 'education', en: 'Education', fr: 'Éducation', symbol: '△', weight: 5, roots: ['Learn', 'Tutor', 'Study', 'Class', 'Quiz'], tags: ['education', 'quiz', 'flashcards', 'teachers'], tasks: [
    ['Makes a quiz out of any chapter', 'Fait un questionnaire de n’importe quel chapitre'],
    ['Explains maths one step at a time', 'Explique les maths une étape à la fois'],
    ['Practises languages in spoken conversation', 'Fait pratiquer les langues à l’oral']] },
  { slug: 'research', en: 'Research', fr: 'Recherche', symbol: '⌕', weight: 4, roots: ['Paper', 'Cite', 'Scholar', 'Source', 'Axiom'], tags: ['research', 'papers', 'citations', 'pdf'], tasks: [
    ['Reads papers and quotes the passage', 'Lit les articles et cite le passage'],
    ['Maps a field from one citation', 'Cartographie un domaine à partir d’une citation'],
    ['Compares the methods of fifty studies', 'Compare les méthodes de cinquante études']] },
  { slug: 'productivity', en: 'Productivity', fr: 'Productivité', symbol: '✓', weight: 6, roots: ['Flow', 'Task', 'Focus', 'Plan', 'Inbox'], tags: ['productivity', 'calendar', 'email', 'automation'], tasks: [
    ['Sorts your inbox by what matters', 'Trie votre boîte de réception par importance'],
    ['Connects your tools without a line of code', 'Relie vos outils sans une ligne de code'],
    ['Defends time for deep work in your calendar', 'Protège du temps de concentration dans votre agenda']] },
  { slug: 'three-d', en: '3D & games', fr: '3D et jeux', symbol: '⬡', weight: 3, roots: ['Mesh', 'Voxel', 'Poly', 'Quest', 'Orbit'], tags: ['3d', 'games', 'models', 'textures', 'npc'], tasks: [
    ['Models objects from a photo', 'Modélise des objets à partir d’une photo'],
    ['Writes characters who remember the player', 'Écrit des personnages qui se souviennent du joueur'],
    ['Captures movement with a phone', 'Capture les mouvements avec un téléphone']] },
  { slug: 'business', en: 'Sales & business', fr: 'Vente et entreprise', symbol: '◭', weight: 5, roots: ['Lead', 'Deal', 'Biz', 'Hire', 'Ledger'], tags: ['sales', 'crm', 'hiring', 'contracts', 'finance'], tasks: [
    ['Reads contracts and marks the risky clauses', 'Lit les contrats et signale les clauses à risque'],
    ['Finds the people to write to, and what to say', 'Trouve à qui écrire, et quoi dire'],
    ['Sorts invoices into the right accounts', 'Classe les factures dans les bons comptes']] },
];

export const endings = ['ly', 'ify', 'io', 'wave', 'forge', 'mind', 'nest', 'lab', 'craft', 'spark', 'hub', 'pilot', 'flow', 'kit', 'verse', 'genie', 'smith', 'loom', 'field', 'stack', 'leap', 'sense', 'bloom', 'dock', 'base', 'works', 'path', 'shift', 'glow', 'mate'];
export const fronts = ['Nova', 'Luma', 'Astra', 'Kino', 'Veo', 'Ori', 'Zen', 'Hyper', 'Neo', 'Super', 'Open', 'Auto', 'Deep', 'Magic', 'Clever', 'Bright', 'Swift', 'Quick', 'Tiny', 'Grand', 'Blue', 'Solar', 'Polar', 'Echo', 'Opal', 'Indigo', 'Mistral', 'Étoile', 'Lumière', 'Café', 'Señor', 'Über', 'Ville', 'Petit', 'Rivière', 'Chêne', 'Alba', 'Fjord', 'Kite', 'Maple'];
export const suffixes = ['AI', 'Studio', 'Labs', 'Pro', 'One', 'Cloud', 'Go', 'Next', 'GPT', '360', 'X', 'Copilot', 'Express', 'Desk', 'Mini', 'Plus', 'Agent', '2.0', 'HQ', 'Suite'];

export const manners = [
  ['in minutes', 'en quelques minutes'], ['right in the browser', 'directement dans le navigateur'], ['without an account', 'sans créer de compte'],
  ['for teams of any size', 'pour les équipes de toute taille'], ['on your own computer', 'sur votre propre ordinateur'], ['with one click', 'en un clic'],
  ['and learns from your corrections', 'et apprend de vos corrections'], ['while you drink your coffee', 'le temps d’un café'], ['for less than a lunch', 'pour moins que le prix d’un déjeuner'],
  ['and keeps every version', 'et garde toutes les versions'], ['with results you can publish', 'avec un résultat prêt à publier'], ['for creators in a hurry', 'pour les créateurs pressés'],
  ['through a simple API', 'grâce à une API simple'], ['and respects your privacy', 'en respectant votre vie privée'], ['in the style you choose', 'dans le style de votre choix'], ['from your phone', 'depuis votre téléphone'],
];

export const openings = [
  (name) => [`${name} began as a side project of two engineers and is now used in studios, schools and newsrooms.`, `${name} est né du projet personnel de deux ingénieurs ; studios, écoles et rédactions s’en servent aujourd’hui.`],
  (name) => [`With ${name}, work that took a day takes a coffee break.`, `Avec ${name}, ce qui prenait une journée tient dans une pause café.`],
  (name) => [`${name} does one thing and does it well.`, `${name} fait une seule chose, et la fait bien.`],
  (name) => [`What sets ${name} apart is how little it asks of you: "drop a file, pick a style, done".`, `${name} se distingue par sa simplicité : « déposez un fichier, choisissez un style, c’est prêt ».`],
  (name) => [`${name} is built for people who'd rather create than configure.`, `${name} s’adresse à celles et ceux qui préfèrent créer plutôt que configurer.`],
  (name) => [`Reviewers praise the speed of ${name}; its free plan is generous, too.`, `Les critiques saluent la rapidité de ${name} ; son offre gratuite est généreuse, elle aussi.`],
];

export const features = [
  ['Works with the formats you already have', 'Accepte les formats que vous avez déjà'], ['Exports in 4K, without a watermark', 'Exporte en 4K, sans filigrane'],
  ['Shared workspaces with comments', 'Espaces partagés avec commentaires'], ['A history you can go back through', 'Un historique que l’on peut remonter'],
  ['Plug-ins for the editors people use', 'Des extensions pour les éditeurs courants'], ['Data kept in Europe (GDPR)', 'Données conservées en Europe (RGPD)'],
  ['Templates made by its community', 'Des modèles créés par sa communauté'], ['Keyboard shortcuts for everything', 'Des raccourcis clavier pour tout'],
  ['An API with clear limits', 'Une API aux limites claires'], ['Batch mode for whole folders', 'Un mode par lot pour des dossiers entiers'],
  ['Works offline once installed', 'Fonctionne hors ligne une fois installé'], ['Discounts for schools and charities', 'Des remises pour les écoles et associations'],
];

/** Texts that have broken an importer before: they stand in a few descriptions. */
export const hazards = [
  'Its manual says: C:\\Users\\new\\table\ttabbed, "quoted", \'single\', and 100 % done.',
  'Prompt syntax:\n\\.\nends the input; \\N means nothing; $$body$$ is literal.',
  '日本語の字幕にも対応しています。한국어와 中文也可以。',
  'يدعم اللغة العربية بالكامل، مع نصوص من اليمين إلى اليسار.',
  'Emoji in, emoji out: 👩🏽‍🚀🎬🇫🇷 — even e\u0301 written as two characters.',
  "Robert'); DROP TABLE tools;-- is only a name here.",
  'Line one\r\nline two (from Windows)\n\n\tindented line four.',
  '<b>Not bold</b> &amp; <script>alert("never")</script>',
];
