// Pages of words need only the theme and the notices.

import './frame.js';
